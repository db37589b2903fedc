"""One system of the judge: a compose file, and beside it what the judge asks and does with it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.compose.oracle import program as compose

Json = dict[str, Any]
SYSTEMS = Path(__file__).parent / "systems"
EVERYONE = ("localhost", "nobody-has-this-name")
SEEDED = "/data"  # where images of ours have files


@dataclass(frozen=True, slots=True)
class Project:
    """A system.

    Args:
        name: Of its file.
        tree: What both sides read.
        extension: What the judge does with it (`x-judge`): `files`, `modes`, `names`, `paths`, `sysctls`, `moments`,
            `change`, `write`.
    """

    name: str
    tree: Json
    extension: Json

    @property
    def moments(self) -> list[str]:
        """What happens to it after its first start."""
        return list(self.extension.get("moments", ()))

    def write(self, folder: Path) -> None:
        """Write its files as they are at first."""
        folder.mkdir(parents=True, exist_ok=True)
        for path, content in self.extension.get("files", {}).items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content)
            target.chmod(int(self.extension.get("modes", {}).get(path, "0644"), 8))
        self.save(folder, self.tree)

    def change(self, folder: Path) -> None:
        """Change its file, and the files beside it, as it says."""
        change = dict(self.extension["change"])
        for path, content in change.pop("files", {}).items():
            (folder / path).write_text(content)
        self.save(folder, merge(self.tree, change))

    def save(self, folder: Path, tree: Json) -> None:
        """Write its compose file."""
        (folder / "compose.yaml").write_text(yaml.safe_dump(tree, sort_keys=False))


def load_projects(folder: Path = SYSTEMS) -> dict[str, Project]:
    """Read every system."""
    projects = {}
    for path in sorted(folder.glob("*.yaml")):
        tree = yaml.safe_load(path.read_text())
        task = tree.pop("x-judge", {})
        projects[path.stem] = Project(path.stem, tree, task)
    return projects


def merge(base: Any, change: Any) -> Any:
    """Lay a change over a tree: mappings part by part, null removes, all else is replaced."""
    if not isinstance(base, Mapping) or not isinstance(change, Mapping):
        return change
    merged = dict(base)
    for key, value in change.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(base.get(key), value)
    return merged


def canonical(folder: Path) -> Json:
    """Ask Docker Compose for the file in its long form: all that the judge asks follows from it."""
    done = subprocess.run(
        [compose(), "--profile", "*", "config", "--format", "json"], cwd=folder,
        env={"HOME": str(folder), "PATH": "/nonexistent"}, check=True, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    tree: Json = json.loads(done.stdout)
    return tree


def question(tree: Json, extension: Json) -> Json:
    """What a probe in any container of a system is asked: every name, every port listened to, every mounted path."""
    names = {*EVERYONE, *extension.get("names", ())}
    ports: set[tuple[str, str]] = set()
    paths = {SEEDED, *extension.get("paths", ())}
    sysctls: set[str] = set()
    for name, service in tree["services"].items():
        names |= {name, *_names(service)}
        for word in service.get("command") or ():
            key, _, port = str(word).partition("=")
            if key in ("listen", "udp"):
                ports.add((port, "udp" if key == "udp" else "tcp"))
        paths |= {mount["target"] for mount in service.get("volumes", ()) if mount["target"] not in ("/", "/dev/shm")}  # noqa: S108
        paths |= {entry.partition(":")[0] for entry in service.get("tmpfs", ())}
        sysctls |= set(service.get("sysctls") or ())
    paths |= set(side_files(tree))
    calls = [
        {"name": name, "port": port, "proto": protocol} for name in sorted(names) for port, protocol in sorted(ports)
    ]
    return {"names": sorted(names), "calls": calls, "paths": sorted(paths), "sysctls": sorted(sysctls)}


def side_files(tree: Json) -> Iterator[str]:
    """Where the configs and secrets of all services are."""
    for service in tree["services"].values():
        for kind, place in (("configs", "/"), ("secrets", "/run/secrets/")):
            for entry in service.get(kind, ()):
                target = entry.get("target") or entry["source"]
                yield target if target.startswith("/") else place + target


def _names(service: Json) -> set[str]:
    """Every name that a service has, or calls others by."""
    names = {service[key] for key in ("container_name", "hostname") if service.get(key)}
    for network in (service.get("networks") or {}).values():
        names |= set((network or {}).get("aliases", ()))
    names |= {link.rpartition(":")[2] for link in service.get("links", ())}
    hosts = service.get("extra_hosts") or ()
    return names | {str(entry).replace(":", "=", 1).partition("=")[0] for entry in hosts}
