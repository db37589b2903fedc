"""Charts are judged by the real Helm: what it renders is parsed, and asked."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tycho.chart import Chart, emit, release_values, values_yaml
from tycho.compose import Sources, load
from tycho.model import PolicyResult, Project
from tycho.policy import apply_policies

Object = dict[str, Any]
CASES = Path(__file__).parents[1] / "cases"


class Reader(yaml.CSafeLoader):
    """YAML as Kubernetes reads it: an equals sign is text."""


for tag in ("value", "merge"):  # what is one of these to Python alone is text: Helm reads it first
    Reader.add_constructor(f"tag:yaml.org,2002:{tag}", lambda loader, node: loader.construct_scalar(node))


class Objects(list[Object]):
    """Rendered objects, found by kind and name."""

    def find(self, kind: str, name: str = "") -> Object:
        matches = [match for match in self if match["kind"] == kind and name in ("", match["metadata"]["name"])]
        assert len(matches) == 1, [(rendered["kind"], rendered["metadata"]["name"]) for rendered in self]
        return matches[0]

    def names(self, kind: str) -> set[str]:
        return {rendered["metadata"]["name"] for rendered in self if rendered["kind"] == kind}

    def pod(self, name: str, kind: str = "Deployment") -> Object:
        spec = self.find(kind, name)["spec"]
        spec = spec["jobTemplate"]["spec"] if kind == "CronJob" else spec
        pod: Object = spec["template"]["spec"]
        return pod

    def container(self, name: str, kind: str = "Deployment") -> Object:
        container: Object = self.pod(name, kind)["containers"][0]
        return container

    def env(self, name: str, kind: str = "Deployment") -> dict[str, str]:
        """A container's environment as its process would see it."""
        return dict(self._env(self.container(name, kind)))

    def _env(self, container: Object) -> Iterator[tuple[str, str]]:
        for source in container.get("envFrom", ()):
            yield from self.secret(source["secretRef"]["name"]).items()
        for entry in container.get("env", ()):
            if "value" in entry:
                yield entry["name"], expanded(entry["value"])
            elif ref := entry["valueFrom"].get("secretKeyRef"):
                yield entry["name"], self.secret(ref["name"])[ref["key"]]

    def secret(self, name: str) -> dict[str, str]:
        entries = self.find("Secret", name)["data"] or {}
        return {key: base64.b64decode(value).decode() for key, value in entries.items()}


def expanded(text: str) -> str:
    """`$$` as the kubelet reads it; where a `$(X)` would be replaced, the test has gone wrong already."""
    expansion, index = "", 0
    while index < len(text):
        if text.startswith("$$", index):
            index += 1
        elif text.startswith("$(", index) and ")" in text[index:]:
            raise AssertionError(f"Kubernetes would expand {text!r}")
        expansion += text[index]
        index += 1
    return expansion


@dataclass
class Bench:
    """Compiles compose text and renders charts."""

    helm: Path
    folder: Path
    count: int = 0

    def system(self, text: str, files: Mapping[str, str | bytes] | None = None, **env: str) -> Project:
        self.count += 1
        folder = self.folder / f"project{self.count}"
        for path, content in {"compose.yaml": text, **(files or {})}.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content if isinstance(content, bytes) else content.encode())
        return load(Sources.from_disk([str(folder / "compose.yaml")], env=env, name="demo"))

    def policy_result(self, text: str, files: Mapping[str, str | bytes] | None = None, **env: str) -> PolicyResult:
        return apply_policies(self.system(text, files, **env))

    def chart(self, text: str, files: Mapping[str, str | bytes] | None = None, **env: str) -> Chart:
        return emit(self.policy_result(text, files, **env))

    def objects(
        self,
        text: str,
        *args: str,
        files: Mapping[str, str | bytes] | None = None,
        scope: str = "namespace",
        **env: str,
    ) -> Objects:
        """What `helm template` makes of compose text with the release's values."""
        policy_result = self.policy_result(text, files, **env)
        return self.render(emit(policy_result), release_values(policy_result.system, scope=scope), *args)  # type: ignore[arg-type]

    def render(self, chart: Chart, values: Mapping[str, Any] | None = None, *args: str, name: str = "rel") -> Objects:
        done = self.run(chart, values or {}, *args, name=name)
        assert done.returncode == 0, done.stderr
        return Objects(document for document in yaml.load_all(done.stdout, Reader) if document)

    def run(
        self, chart: Chart, values: Mapping[str, Any], *args: str, name: str = "rel"
    ) -> subprocess.CompletedProcess[str]:
        self.count += 1
        archive = self.folder / f"chart{self.count}.tgz"
        archive.write_bytes(chart.archive())
        return self.program("template", name, str(archive), "--values", "-", *args, stdin=values_yaml(values))

    def program(self, *args: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.helm, *args], input=stdin, capture_output=True, text=True, check=False, timeout=120, encoding="utf-8"
        )

    def lint(self, charts: Sequence[Chart]) -> str:
        folders = []
        for chart in charts:
            self.count += 1
            folders.append(self.folder / f"lint{self.count}" / chart.name)
            chart.write(folders[-1])
        done = self.program("lint", "--strict", *map(str, folders))
        return "" if done.returncode == 0 else done.stdout + done.stderr


@pytest.fixture(scope="session")
def bench(helm: Path, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(helm, tmp_path_factory.mktemp("charts"))


@pytest.fixture(scope="session")
def objects(bench: Bench) -> Callable[..., Objects]:
    return bench.objects


@pytest.fixture
def case(tmp_path: Path) -> Any:
    """Lays a case out, with what a repository cannot hold."""

    def lay(name: str) -> Path:
        folder = tmp_path / name
        shutil.copytree(CASES / name, folder)
        if name == "writable-binds":
            (folder / "uploads").mkdir()
            (folder / "uploads" / "photo.jpg").write_bytes(os.urandom(3 << 20))
        if name == "large-file-bind":
            (folder / "dump.sql").write_text("insert into t values (1);\n" * 80_000)
        if name == "links-and-unreadable-folders":
            (folder / "conf2" / "b").symlink_to("../real")
            (folder / "conf2" / "nowhere").symlink_to("absent")
            (folder / "conf2" / "out").symlink_to("/etc/hostname")
            os.mkfifo(folder / "conf2" / "pipe")
        return folder

    return lay


@pytest.fixture
def unreadable(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Has the system refuse to open a folder or file, as it does to anybody but root."""

    def refuse(path: Path) -> None:
        for name in ("scandir", "open"):
            real = getattr(os, name)

            def guarded(asked: Any, *args: Any, real: Any = real, **more: Any) -> Any:
                if isinstance(asked, str) and Path(asked) == path:
                    raise PermissionError(13, "Permission denied", asked)
                return real(asked, *args, **more)

            monkeypatch.setattr(os, name, guarded)

    return refuse
