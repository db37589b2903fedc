"""What Docker runs: the compose file after the policies, without a value of the environment and without secrets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from tycho.canonical import to_compose_file
from tycho.chart import ReportEntry
from tycho.chart.chart import chart_digest
from tycho.chart.checks import raise_if_changed
from tycho.chart.composefile import conceal_entries
from tycho.chart.hidden import hide_credentials
from tycho.chart.version import check_version
from tycho.chart.yaml_writer import dump
from tycho.errors import ComposeError, NotSupported, Problem
from tycho.expiry import EXPIRE, IDLE, TTL
from tycho.model import PolicyResult, Project
from tycho.outputs import write_tree
from tycho.release import label_value

EXTENSION = "x-tycho"
TIMES = (TTL, IDLE, EXPIRE)  # what it says of the whole project that is not about Kubernetes
FILE = "compose.yaml"
MOMENT = 315532800  # 1980-01-01: the time of change of every file that is written
UNRUN = ("build", "develop", "profiles")
"""Keys of services that have had their effect once a system is to run."""


@dataclass(frozen=True)
class ComposeArtifact:
    """A compiled system, as Docker Compose runs it.

    Args:
        name: The project's name.
        version: Its version, SemVer 2.
        services: Its services, in the order of the file.
        compose: The compose file.
        report: What became of each key that Docker Compose does not know.
        policies_digest: sha256 of the policies in force, "" where there are none.
        compose_digest: sha256 of the project.
        kinds: What it makes.
    """

    name: str
    version: str
    services: tuple[str, ...]
    compose: str = field(repr=False)
    report: tuple[ReportEntry, ...] = field(default=(), repr=False)
    policies_digest: str = ""
    compose_digest: str = ""
    kinds: tuple[str, ...] = ("container", "network", "volume")
    platform: str = "Docker"

    @cached_property
    def files(self) -> Mapping[str, str | bytes]:
        """The compose file, by its name."""
        return {FILE: self.compose}

    @cached_property
    def digest(self) -> str:
        """sha256 over name and content of the compose file."""
        return chart_digest(self.files)

    def write(self, folder: Path) -> None:
        """Write the compose file into a folder, which is made."""
        write_tree(folder, {FILE: self.compose.encode()}, stale="", moment=MOMENT)

    def archive(self) -> bytes:
        """Refuse: nobody installs a packed compose file.

        Raises:
            NotSupported: Always.
        """
        raise NotSupported("docker packs no charts", hint="leave out TYCHO_BACKPLANE=docker, or write -b helm")


def compile_artifact(policy_result: PolicyResult, *, strict: bool, version: str) -> ComposeArtifact:
    """Compile a project with its policies applied into what Docker Compose runs.

    Args:
        policy_result: The project after the policies.
        strict: Whether a key without a meaning for Docker is an error.
        version: Its version, SemVer 2; made of its content where it is "".

    Raises:
        ComposeError: It has what Docker Compose cannot run; with every problem.
        ReportError: `strict`, and a key is ignored.
        NotSupported: A policy adds objects of Kubernetes.
    """
    if version:
        check_version(version)
    project = policy_result.system
    if policy_result.emits:
        named = ", ".join(sorted({emitted.policy for emitted in policy_result.emits}))
        raise NotSupported(
            f"the policies {named} add objects of Kubernetes, and docker has none", hint="take them out, or use -b helm"
        )
    if problems := list(_list_jobs(project)):
        raise ComposeError(f"{len(problems)} problem{'s' * (len(problems) > 1)}", problems=problems)
    rows = tuple(_list_ignored(policy_result))
    if strict:
        raise_if_changed(rows, (*project.warnings, *policy_result.warnings))
    shown, _ = conceal_entries(*hide_credentials(project))
    text = dump(_without_extensions(to_compose_file(shown)))
    version = version or f"0.1.0+{chart_digest({FILE: text})[:12]}"
    return ComposeArtifact(
        label_value(project.name), version, tuple(project.services), text, rows, policy_result.digest, project.digest
    )


def _list_jobs(project: Project) -> Iterator[Problem]:
    for name in project.jobs:
        yield project.make_problem(f"jobs.{name}", "Docker Compose runs no jobs", "make it a service, or use -b helm")


def _list_ignored(policy_result: PolicyResult) -> Iterator[ReportEntry]:
    """List what the file itself says to Tycho: it is about Kubernetes."""
    project = policy_result.system
    extension = project.x.get(EXTENSION)
    for word in TIMES:
        if isinstance(extension, Mapping) and word in extension:
            path = f"{EXTENSION}.{word}"
            reason, remedy = "docker ends no systems in time", "run `tycho down` when its time is over"
            yield ReportEntry(path, *project.at(path), "ignored", reason=reason, remedy=remedy)
    for section in ("services", "networks", "volumes", "configs", "secrets"):
        for name, part in getattr(project, section).items():
            key = f"{section}.{name}"
            path = f"{key}.{EXTENSION}"
            if policy_result.own.get(key, part.x.get(EXTENSION)):
                yield ReportEntry(
                    path, *project.at(path), "ignored", reason="it is about Kubernetes", remedy="use -b helm"
                )


def _without_extensions(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Take extensions out of a compose file, and what has had its effect when it runs."""
    kept = {key: value for key, value in tree.items() if not key.startswith("x-")}
    for section, entries in kept.items():
        if isinstance(entries, Mapping):
            unrun = UNRUN if section == "services" else ()
            kept[section] = {
                name: {key: value for key, value in entry.items() if not key.startswith("x-") and key not in unrun}
                if isinstance(entry, Mapping)
                else entry
                for name, entry in entries.items()
            }
    return kept
