"""A chart: its files in order, its report, and what others need to know of it. Same input, same bytes."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct, field, structs

from tycho.errors import UsageError
from tycho.model import Rights
from tycho.outputs import explained, is_staged, write_tree
from tycho.text import json_text

Outcome = Literal["translated", "approximated", "ignored", "rejected"]
EPOCH = 315532800  # 1980-01-01: the first moment that every archive format can write
REPORT = "tycho-report.json"
COMPOSE_FILE = "files/compose.yaml"


class ReportTarget(Struct, frozen=True):
    """A field of an object, or a whole object, that a row claims.

    Args:
        kind: Kubernetes' kind.
        name: The object's name, where RELEASE stands for the release's and `*` for what is made when it is rendered.
        path: The field, with names of items in brackets: `spec.template.spec.containers[web].image`; "" for all of it.
    """

    kind: str
    name: str
    path: str = ""


class ReportEntry(Struct, frozen=True):
    """State the outcome of one key of the compose file.

    Args:
        path: Compose path, `services.web.ports[0]`.
        file: The file as the user named it, or "".
        line: 1-based, 0 when unknown.
        outcome: translated (same meaning), approximated (nearest), ignored (no meaning), rejected (cannot run).
        target: What it is translated to, in words, or "".
        reason: Why it is not the same, or "".
        remedy: What to do about it, or "".
        local: Whether it is about files of this machine alone: such an entry is shown, but is not in the chart.
        targets: The fields and objects in the rendered manifest that come from it.
    """

    path: str
    file: str
    line: int
    outcome: Outcome
    target: str = ""
    reason: str = ""
    remedy: str = ""
    local: bool = False
    targets: tuple[ReportTarget, ...] = ()

    def as_mapping(self) -> dict[str, Any]:
        """Return its fields by name, as JSON has them."""
        return {**structs.asdict(self), "targets": [structs.asdict(target) for target in self.targets]}


class Contents(Struct, frozen=True):
    """State facts of a chart that others need, so that they do not parse its files.

    Args:
        services: Compose services, as values know them.
        kinds: Kinds of the objects that its templates make, sorted; those of a policy's templates are left out.
        defaults: What values.yaml says.
        compose_digest: Of the compose file, as far as the chart holds it; "" where the project has none.
        policies_digest: Of the policies in force; "" where there are none.
        published: Ports to the outside by service: name to published port, which may be an expression, and target.
        claims: Volumes, as values know them.
        fenced: Whether pods ask the API server from a closed network.
        looks_up: Whether a pod is told how it looks names up; else the chart has no setting for that.
        fills: Whether new volumes get what images have at their paths.
        rights: Whether it makes a Role and a RoleBinding.
    """

    services: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    compose_digest: str = ""
    policies_digest: str = ""
    published: Mapping[str, Mapping[str, tuple[int | str, int]]] = field(default_factory=dict)
    claims: tuple[str, ...] = ()
    fenced: bool = False
    looks_up: bool = False
    fills: bool = False
    rights: bool = False


class Chart(Struct, frozen=True, dict=True):
    """A compiled system.

    Args:
        name: The chart's name, a DNS label.
        version: Its version, SemVer 2.
        files: Path inside the chart to content, in the order of the archive.
        report: One row per compose key in use.
        rights: What policies granted to whom: what Helm renders is judged by it.
        contents: What it holds.
    """

    name: str
    version: str
    files: Mapping[str, str | bytes]
    report: tuple[ReportEntry, ...] = ()
    rights: Rights = Rights()
    contents: Contents = Contents()

    @cached_property
    def digest(self) -> str:
        """The sha256 over paths and contents."""
        return chart_digest(self.files)

    @property
    def platform(self) -> str:
        """What it runs on, as people call it."""
        return "Kubernetes"

    @property
    def services(self) -> tuple[str, ...]:
        """The compose services that it runs, in the order of the file."""
        return self.contents.services

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of objects that it makes, sorted."""
        return self.contents.kinds

    @property
    def compose_digest(self) -> str:
        """sha256 of the compose file, as far as the chart holds it."""
        return self.contents.compose_digest

    @property
    def policies_digest(self) -> str:
        """sha256 of the policies in force."""
        return self.contents.policies_digest

    @property
    def compose(self) -> str:
        """The compose file that it was made of."""
        return str(self.files.get(COMPOSE_FILE, ""))

    @property
    def contents_by_path(self) -> dict[str, bytes]:
        """Its files as they are written."""
        return {path: _bytes(content) for path, content in self.files.items()}

    @property
    def weight(self) -> int:
        """The estimated bytes of a release of it in Helm's Secret: the chart and its manifest, compressed."""
        return len(self.archive()) * 5 // 2

    def write(self, folder: Path) -> None:
        """Write the tree into a folder, which is made; wholly, or not at all.

        Raises:
            UsageError: The folder holds something else than a chart.
            FileError: It cannot be written; nothing has changed.
        """
        if folder.is_dir() and not (folder / "Chart.yaml").is_file():
            with explained(folder):
                others = [path for path in folder.iterdir() if not is_staged(path.name)]
            if others:
                raise UsageError(f"{folder} is not empty, and is no chart", hint="name another folder")
        files = self.contents_by_path
        # `helm package` keeps the time of change: packing twice gives one digest.
        write_tree(folder, files, stale="templates/**/*.yaml", moment=EPOCH)

    def archive(self) -> bytes:
        """Return the chart packed as Helm packs it: the same bytes on every machine."""
        return self._packed

    @cached_property
    def _packed(self) -> bytes:
        import gzip  # 2 ms for both, and a chart is mostly not packed: `tycho compile` writes its files
        import tarfile

        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
            for path, content in self.files.items():
                content_bytes = _bytes(content)
                entry = tarfile.TarInfo(f"{self.name}/{path}")
                entry.size, entry.mtime, entry.mode = len(content_bytes), EPOCH, 0o644
                tar.addfile(entry, io.BytesIO(content_bytes))
        return gzip.compress(packed.getvalue(), compresslevel=6, mtime=0)


def chart_digest(files: Mapping[str, str | bytes]) -> str:
    """Return the sha256 over the paths and contents of files, whatever their order."""
    total = hashlib.sha256()
    for path, content in sorted(files.items()):
        content_bytes = _bytes(content)
        total.update(f"{len(path)}:{path}{len(content_bytes)}:".encode())
        total.update(content_bytes)
    return total.hexdigest()


def report_json(rows: tuple[ReportEntry, ...]) -> str:
    """Write the report as the chart carries it: one row a line."""
    lines = (
        json_text({key: value for key, value in row.as_mapping().items() if value not in ("", []) and key != "local"})
        for row in rows
        if not row.local
    )
    return "[\n" + ",\n".join(lines) + "\n]\n"


def _bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content
