"""What fills volumes is run, on folders in the place of volumes, images and ConfigMaps."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.chart.conftest import Bench

pytestmark = pytest.mark.skipif(not shutil.which("flock"), reason="there is no flock here")
ROOT = os.geteuid() == 0


@dataclass
class Helper:
    """The init container's program, on folders of a test."""

    script: str
    folder: Path
    owner: str = ""

    def run(self, *steps: tuple[str, ...]) -> None:
        words = [word for step in steps for word in step]
        argv = ["/bin/sh", "-euc", self.script, "fill", self.owner, *words]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr

    def image(self, verb: str = "content", path: str = "/srv/data") -> None:
        self.run((verb, str(self.folder / "claim"), "data", str(self.folder / "image"), path))

    def seed(self, files: Mapping[str, str]) -> None:
        """Seed, as the kubelet lays a ConfigMap out: what one sees are links into a hidden folder."""
        mounted = self.folder / "mounted"
        shutil.rmtree(mounted, ignore_errors=True)
        for name, content in files.items():
            path = mounted / "..2026" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        (mounted / "..data").symlink_to("..2026")
        for first in {name.split("/")[0] for name in files}:
            (mounted / first).symlink_to(f"..data/{first}")
        self.run(("seed", str(self.folder / "claim"), "data", str(mounted), ""))

    def write(self, files: Mapping[str, str], below: str = "claim/data") -> None:
        for name, content in files.items():
            path = self.folder / below / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)

    def held(self, below: str = "claim/data") -> dict[str, str]:
        top = self.folder / below
        return {str(path.relative_to(top)): path.read_text() for path in sorted(top.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def script(bench: Bench) -> str:
    objects = bench.objects("services: {web: {image: x, volumes: [/data]}}")
    text: str = objects.find("ConfigMap", "rel-tycho-fill")["data"]["fill.sh"]
    return text


@pytest.fixture
def helper(script: str, tmp_path: Path) -> Helper:
    for name in ("claim/lost+found", "image/srv"):
        (tmp_path / name).mkdir(parents=True)
    return Helper(script, tmp_path)


def test_a_new_volume_has_what_the_image_has(helper: Helper) -> None:
    helper.write({"a": "1", "sub/b": "2"}, "image/srv/data")
    folder = helper.folder / "image/srv/data"
    (folder / "link").symlink_to("/etc/nowhere")
    (folder / "a").chmod(0o600)
    folder.chmod(0o750)
    if ROOT:
        os.chown(folder, 472, 4)
        os.lchown(folder / "a", 472, 5)
    helper.image()
    made = helper.folder / "claim/data"
    assert helper.held() == {"a": "1", "sub/b": "2"}
    assert os.readlink(made / "link") == "/etc/nowhere"
    assert (made.stat().st_mode & 0o7777, (made / "a").stat().st_mode & 0o7777) == (0o750, 0o600)
    if ROOT:
        assert (made.stat().st_uid, made.stat().st_gid, (made / "a").stat().st_gid) == (472, 4, 5)


def test_a_later_start_copies_nothing(helper: Helper) -> None:
    helper.write({"a": "1", "b": "1"}, "image/srv/data")
    helper.image()
    helper.write({"a": "mine"})
    (helper.folder / "claim/data/b").unlink()
    helper.write({"a": "2", "new": "2"}, "image/srv/data")
    helper.image()
    assert helper.held() == {"a": "mine"}


def test_a_volume_in_use_is_left_alone(helper: Helper) -> None:
    helper.write({"mine": "1"})
    helper.write({"a": "1"}, "image/srv/data")
    helper.image()
    assert helper.held() == {"mine": "1"}


def test_interrupted_copy_is_repeated(helper: Helper) -> None:
    helper.write({"a": "1", "b": "2"}, "image/srv/data")
    helper.write({"a": "", "../tycho/copying": ""})
    helper.image()
    assert helper.held() == {"a": "1", "b": "2"}
    assert not (helper.folder / "claim/tycho/copying").exists()


def test_a_path_that_the_image_does_not_have(helper: Helper) -> None:
    helper.image(path="/nowhere/at all")
    assert (helper.folder / "claim/data").stat().st_mode & 0o777 == 0o755  # everybody may look into it
    (helper.folder / "claim/data").rmdir()
    helper.owner = f"{os.getuid() or 472}:{os.getgid() or 472}"
    helper.image(path="/nowhere/at all")
    made = (helper.folder / "claim/data").stat()
    assert f"{made.st_uid}:{made.st_gid}" == helper.owner


LINKS: Mapping[str, Mapping[str, str]] = {
    "absolute": {"srv/data": "/real"},
    "relative": {"srv/data": "../real"},
    "above": {"srv": "/other", "other/data": "/real/."},
    "beyond the top": {"srv/data": "../../../../real"},
}


@pytest.mark.parametrize("name", LINKS)
def test_links_lead_inside_the_image(name: str, helper: Helper) -> None:
    helper.write({"a": "1"}, "image/real")
    for place, target in LINKS[name].items():
        path = helper.folder / "image" / place
        if path.is_dir():
            path.rmdir()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(target)
    helper.image()
    assert helper.held() == {"a": "1"}


def test_a_link_in_a_circle_ends(helper: Helper) -> None:
    (helper.folder / "image/srv/data").symlink_to("data")
    helper.image()
    assert helper.held() == {}


def test_an_owner_alone(helper: Helper) -> None:
    helper.write({"a": "1"}, "image/srv/data")
    (helper.folder / "image/srv/data").chmod(0o700)
    helper.image("owner")
    assert helper.held() == {}
    assert (helper.folder / "claim/data").stat().st_mode & 0o777 == 0o700


Story = Callable[[Helper], None]


def test_seeds_are_copied_once(helper: Helper) -> None:
    helper.seed({"app.ini": "1", "sub/deep/x y": "2", "'q'\"": "3"})
    assert helper.held() == {"app.ini": "1", "sub/deep/x y": "2", "'q'\"": "3"}
    before = (helper.folder / "claim/data/app.ini").stat().st_ino
    helper.seed({"app.ini": "1", "sub/deep/x y": "2", "'q'\"": "3"})
    assert (helper.folder / "claim/data/app.ini").stat().st_ino == before


def test_a_changed_seed_replaces_its_copy(helper: Helper) -> None:
    helper.seed({"app.ini": "1", "other": "1"})
    helper.write({"written": "mine"})
    for content in ("2", "3", "1"):
        helper.seed({"app.ini": content, "other": "1"})
        assert helper.held() == {"app.ini": content, "other": "1", "written": "mine"}


def test_what_the_program_wrote_stays(helper: Helper) -> None:
    helper.seed({"app.ini": "1", "gone": "1", "kept": "1"})
    helper.write({"app.ini": "mine"})
    (helper.folder / "claim/data/gone").unlink()
    for content in ("2", "3"):
        helper.seed({"app.ini": content, "gone": content, "kept": content, "new": content})
        assert helper.held() == {"app.ini": "mine", "kept": content, "new": content}
    helper.seed({"app.ini": "mine", "kept": "3"})  # the same on both sides: from here on the source leads again
    helper.seed({"app.ini": "4", "kept": "3"})
    assert helper.held() == {"app.ini": "4", "kept": "3", "new": "3"}


def test_a_file_of_the_program_is_no_seed(helper: Helper) -> None:
    helper.write({"app.ini": "mine"})
    helper.seed({"app.ini": "1"})
    helper.seed({"app.ini": "2"})
    assert helper.held() == {"app.ini": "mine"}


def test_a_folder_in_the_place_of_a_seed(helper: Helper) -> None:
    helper.write({"app.ini/x": "mine"})
    helper.seed({"app.ini": "1", "b": "1"})
    assert helper.held() == {"app.ini/x": "mine", "b": "1"}


def test_a_broken_off_seed_goes_on(helper: Helper) -> None:
    """The copy is there, and the note of it is not."""
    helper.seed({"app.ini": "1"})
    (helper.folder / "claim/tycho/seeds").write_text("")
    helper.seed({"app.ini": "1"})
    helper.seed({"app.ini": "2"})
    assert helper.held() == {"app.ini": "2"}


@pytest.mark.skipif(not ROOT, reason="only root gives files away")
def test_seeds_belong_to_who_owns_the_folder(helper: Helper) -> None:
    helper.write({"x": "1"}, "image/srv/data")
    os.chown(helper.folder / "image/srv/data", 472, 472)
    helper.image("owner")
    helper.seed({"sub/a": "1"})
    owners = {(helper.folder / "claim/data" / name).stat().st_uid for name in (".", "sub", "sub/a")}
    assert owners == {472}
    helper.owner = "1000:1001"
    helper.seed({"sub/a": "1", "b": "1"})
    assert (helper.folder / "claim/data/b").stat().st_gid == 1001


def test_copies_are_made_at_each_start(helper: Helper) -> None:
    source, volume = helper.folder / "source", helper.folder / "empty"
    volume.mkdir()
    helper.write({"app.ini": "1"}, "source")
    (source / "app.ini").chmod(0o755)
    step = ("copy", str(volume), "", str(source), "")
    points = (("folder", str(volume), "", "/from/", "sub/state"), ("file", str(volume), "", "/from/", "sub/ds.yaml"))
    helper.run(step, *points)
    helper.write({"app.ini": "written"}, "empty")
    helper.run(step, *points)
    assert helper.held("empty") == {"app.ini": "1", "sub/ds.yaml": ""}
    assert (volume / "app.ini").stat().st_mode & 0o777 == 0o755
    assert (volume / "sub/state").is_dir()


def test_a_planted_link_is_not_followed(helper: Helper) -> None:
    helper.write({"victim": "mine"}, "elsewhere")
    helper.seed({"app.ini": "1"})
    (helper.folder / "claim/data/.tycho-new").symlink_to(helper.folder / "elsewhere/victim")
    helper.seed({"app.ini": "2"})
    assert helper.held("elsewhere") == {"victim": "mine"}
    assert helper.held()["app.ini"] == "2"
