"""Images at a registry on loopback, a real one: newer ones are told of, and pinned where they are asked for."""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.cli.conftest import Run
from tycho.cli.images import check_images
from tycho.errors import OrchestratorError
from tycho.pulling import ImageRegistries, find_tag
from tycho.release import Identity, Release, ServiceStatus
from tycho.toolchain import programs

pytestmark = pytest.mark.xdist_group("cluster")
LOGIN = "ada:hush-3f9a17"
DIGEST = f"sha256:{'5' * 64}"
Push = Callable[..., str]


@pytest.fixture
def push(registry: str, tmp_path: Path) -> Push:
    """Pushes an image that holds a text, or an index of the one that is there; its digest is returned."""
    crane = programs.tool("crane")

    def run(*argv: object) -> str:
        return subprocess.run([crane, *map(str, argv)], capture_output=True, text=True, check=True).stdout.strip()

    def push_image(text: str = "") -> str:
        reference, layer, file = f"{registry}/team/web:1", tmp_path / "layer.tar", tmp_path / "text"
        if text:
            file.write_text(text)
            with tarfile.open(layer, "w") as archive:
                archive.add(file, "text")
            run("append", "-f", layer, "-t", reference)
        else:
            run("index", "append", "-m", reference, "-t", reference)
        return run("digest", reference)

    return push_image


def test_a_moved_tag_is_an_upgrade(tycho: Run, tool: Run, push: Push, registry: str, folder: Path) -> None:
    """Only with --pull, and only where it has moved; what was pinned stays so."""
    (folder / "compose.yaml").write_text(f"services: {{web: {{image: '{registry}/team/web:${{TAG:-1}}'}}}}\n")
    first = push("first")

    def checked() -> tuple[str, str]:
        (row,) = json.loads(tycho("status", "shop", "--check-images", "-o", "json").stdout)
        return row["newer"], row["newest"]

    def image() -> str:
        namespace = tycho("status", "shop", "-o", "json").stdout.split('"namespace": "')[1].partition('"')[0]
        path = "jsonpath={.items[0].spec.template.spec.containers[0].image}"
        return tool("kubectl", "get", "deployments", "-n", namespace, "-o", path).stdout

    tycho("up", cwd=folder)
    assert image() == f"{registry}/team/web:1"
    assert checked() == ("unknown: nothing says which image runs", first)  # simulated nodes pull nothing
    tycho("up", "--pull", cwd=folder)
    assert image() == f"{registry}/team/web:1@{first}"
    for argv in (["--pull"], []):
        assert "shop is up to date (revision 2)" in tycho("up", *argv, cwd=folder).stderr
    assert checked() == ("no", first)
    second = push("second")
    assert checked() == ("yes", second)
    assert "yes" in tycho("status", "--check-images").stdout
    assert "shop is up to date (revision 2)" in tycho("up", cwd=folder).stderr
    tycho("up", "--pull", cwd=folder)
    assert image() == f"{registry}/team/web:1@{second}"
    absent = tycho("up", "--pull", cwd=folder, TAG="none", rc=OrchestratorError.exit_code)
    assert f"{registry}/team/web:none: not found in its registry" in absent.stderr
    assert image() == f"{registry}/team/web:1@{second}"
    tycho("up", cwd=folder, TAG="2")
    assert image() == f"{registry}/team/web:2"


def release(image: str, *digests: str) -> Release:
    service = ServiceStatus(name="web", kind="Deployment", ready=1, wanted=1, image=image, digests=digests)
    identity = Identity(guid="0" * 32, name="shop", release="shop-0", namespace="shop-0")
    return Release(identity=identity, services=(service,))


def test_a_node_may_tell_of_its_own_platform(push: Push, registry: str) -> None:
    """What runs is then within what the tag names."""
    reference = f"{registry}/team/web:1"
    platform, whole = push("text"), push()
    assert platform != whole
    releases = [release(reference, platform), release(reference, whole), release(reference, DIGEST)]
    releases += [
        release(f"{reference}@{whole}"),
        release(f"{registry}/team/web@{whole}"),
        release(f"{registry}/no:1", whole),
    ]
    rows = asyncio.run(check_images(releases))
    assert [row["newer"] for row in rows] == [
        "no", "no", "yes", "no", "no: it has a digest and no tag",
        f"unknown: {registry}/no:1: not found in its registry",
    ]  # fmt: skip
    assert find_tag(f"{reference}@{whole}") == reference


class Locked(BaseHTTPRequestHandler):
    """A registry that takes a login."""

    def do_HEAD(self) -> None:
        allowed = self.headers.get("Authorization") == f"Basic {base64.b64encode(LOGIN.encode()).decode()}"
        self.send_response(200 if allowed else 401)
        self.send_header("WWW-Authenticate", 'Basic realm="here"')
        if allowed and "/manifests/" in self.path:
            self.send_header("Content-Type", "application/vnd.oci.image.manifest.v1+json")
            self.send_header("Docker-Content-Digest", DIGEST)
            self.send_header("Content-Length", "500")
        self.end_headers()

    def do_GET(self) -> None:
        self.do_HEAD()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def locked() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Locked) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


def test_logins_are_those_of_docker(locked: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are read of Docker's configuration, and no message has them."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    reference = f"{locked}/team/web:1"

    async def ask() -> object:
        return (await ImageRegistries().find_digests([reference]))[reference]

    refused = asyncio.run(ask())
    assert isinstance(refused, OrchestratorError)
    assert refused.message.startswith(f"{reference}: its registry shows it to nobody without a login that may pull it")
    assert refused.hint == f"where it takes a login: `docker login {locked}`"
    auth = base64.b64encode(LOGIN.encode()).decode()
    (tmp_path / "config.json").write_text(json.dumps({"auths": {locked: {"auth": auth}}}))
    assert asyncio.run(ask()) == DIGEST
    auth = base64.b64encode(b"ada:hush-0000").decode()
    (tmp_path / "config.json").write_text(json.dumps({"auths": {locked: {"auth": auth}}}))
    wrong = asyncio.run(ask())
    assert "hush" not in str(wrong)
    assert auth not in str(wrong)


def test_what_is_no_image_is_not_asked_for() -> None:
    registries = ImageRegistries()
    answers = asyncio.run(registries.find_digests(["--insecure", "Nginx"]))
    assert [str(answer) for answer in answers.values()] == ['"--insecure" is not an image', '"Nginx" is not an image']
