"""Compile compose files into an artifact of a back end, and report every problem at once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field

from tycho.chart import mark_routed
from tycho.collector import paused
from tycho.compose import load, select_services
from tycho.errors import (
    ComposeError,
    NotSupported,
    PolicyDenied,
    Problem,
    ReportError,
    TychoError,
    UsageError,
)
from tycho.expiry import IDLE, TTL, read_terms, set_ttl
from tycho.masking import masked, system_secrets
from tycho.model import PolicyResult, Project, ServiceMetadata
from tycho.policy import Step, apply, explain

if TYPE_CHECKING:
    from tycho.compose import Sources
    from tycho.orchestrators.instance import Artifact, Compiler
    from tycho.urls import UrlOptions

Metadata = Mapping[str, ServiceMetadata]


class Compiled(Struct, frozen=True):
    """A system that is ready to run: what was read, and the artifact that was made of it.

    Args:
        policy_result: What was read, after the policies.
        artifact: What was made of it.
        metadata: What the caller says of single services.
        service_account: What containers run as, and whose token they get; "" for the namespace's own, without one.
        directory: Folder that relative paths start in; "" where the files are on no disk.
    """

    policy_result: PolicyResult
    artifact: Artifact
    metadata: Metadata = field(default_factory=dict)
    service_account: str = ""
    directory: str = ""


class Wishes(Struct, frozen=True):
    """What is asked for beside the compose files.

    Args:
        metadata: What the caller says of single services.
        strict: Whether an approximated or ignored key is an error.
        version: The chart's version; made of its content where it is "".
        services: Of these services and what they depend on alone; of all when empty.
        keep: Beside such services, those that run already and are to go on.
        ttl: How long it runs, whatever the file says; "" for what that says.
    """

    metadata: Metadata = field(default_factory=dict)
    strict: bool = False
    version: str = ""
    services: Sequence[str] = ()
    keep: Sequence[str] = ()
    ttl: str = ""


class Compilation:
    """Compiles for one back end; touches no cluster.

    Args:
        compiler: What compiles for that.
        policies: Folders of policies, after the shipped one.
        urls: What the operator says of the URLs of systems; None for no URLs.
    """

    def __init__(self, compiler: Compiler, *, policies: Sequence[Path] = (), urls: UrlOptions | None = None) -> None:
        self.policies = tuple(policies)
        self.urls = urls
        self._compiler = compiler

    @paused()
    def compile(
        self,
        sources: Sources,
        *,
        metadata: Metadata | None = None,
        strict: bool = False,
        version: str = "",
        services: Sequence[str] = (),
        keep: Sequence[str] = (),
        ttl: str = "",
    ) -> Compiled:
        """Compile compose files into an artifact; touches no cluster.

        Args:
            sources: The compose files and the environment around them.
            metadata: What the caller says of single services.
            strict: Whether an approximated or ignored key is an error.
            version: The chart's version; made of its content by default.
            services: Of these services and what they depend on alone; of all when empty.
            keep: Beside such services, those that run already and are to go on.
            ttl: How long it runs, as `8h`, whatever the file says; "" for what that says.

        Raises:
            ComposeError: With every problem of the files.
            PolicyError: A policy is broken, or refuses the system.
            NotSupported: `ttl`, and the back end does not know how long a system has run.
        """
        if ttl and "touch" in self._compiler.not_supported:
            raise NotSupported("ttl: this back end ends no systems in time", hint="leave it out, or use -b helm")
        wishes = Wishes(metadata or {}, strict, version, services, keep, ttl)
        return compile_sources(sources, wishes, compiler=self._compiler, policies=self.policies, urls=self.urls)

    def explain(self, sources: Sources, *, metadata: Metadata | None = None) -> tuple[Step, ...]:
        """What each policy does to each service of a system, refused or not; touches no cluster.

        Args:
            sources: The compose files and the environment around them.
            metadata: What the caller says of single services.

        Raises:
            ComposeError: With every problem of the files.
            PolicyError: A policy is broken.
        """
        return explain(load_system(sources, metadata or {}), folders=self.policies, metadata=metadata)


def compile_sources(
    sources: Sources,
    wishes: Wishes,
    *,
    compiler: Compiler,
    policies: Sequence[Path],
    urls: UrlOptions | None = None,
) -> Compiled:
    """Compile compose files into an artifact; touches no cluster.

    Args:
        sources: The compose files and the environment around them.
        wishes: What else is asked for.
        compiler: What compiles for the back end that is to run it.
        policies: Folders of policies, after the shipped one.
        urls: What the operator says of URLs; None for no URLs.

    Raises:
        ComposeError: With every problem of the files, and what was warned of.
        PolicyDenied: Policies refuse the system; with the other problems of the files.
        PolicyError: A policy is broken.
    """
    metadata = dict(wishes.metadata)
    system = load_system(sources, metadata)
    names = system.services.keys()
    if wishes.services:
        system = select_services(system, wishes.services, keep=wishes.keep)
        metadata = {name: entry for name, entry in metadata.items() if name in system.services}
    if wishes.ttl:  # as if the file said so: policies may set and bound it
        lines = {**system.lines, f"x-tycho.{TTL}": ("--ttl", 0)}
        system = system.model_copy(update={"x": set_ttl(system.x, wishes.ttl), "lines": lines})
    texts = [text.decode(errors="replace") for _, text in sources.texts]
    with masked(*system_secrets(system, sources.env, texts)) as masker:
        policy_result, refusal = apply(system, folders=policies, metadata=metadata)
        warnings = (*policy_result.warnings, *_list_unasked(policy_result.system, names))
        policy_result = policy_result.model_copy(update={"warnings": tuple(map(masker.problem, warnings))})
        try:
            policy_result = mark_routed(policy_result, urls) if urls else policy_result
            artifact = _make_artifact(policy_result, refusal, wishes, compiler)
        except ReportError:  # what was warned of is among its problems
            raise
        except TychoError as error:
            error.warnings = (*system.warnings, *policy_result.warnings)
            raise
        return Compiled(policy_result, artifact, metadata, directory=sources.directory)


def load_system(sources: Sources, metadata: Metadata) -> Project:
    """Load compose files that have all the services which the caller speaks of.

    Raises:
        ComposeError: With every problem of the files.
        UsageError: There is no such service.
    """
    system = load(sources)
    valued = {name for name in system.jobs if name in metadata and not metadata[name].publishes}
    if unknown := sorted(set(metadata) - set(system.services) - valued):
        raise UsageError(
            f"service metadata names {', '.join(unknown)}, which {system.name} does not have",
            hint=f"it has: {', '.join(sorted(system.services))}",
        )
    return system


def _list_unasked(system: Project, names: Collection[str]) -> Iterator[Problem]:
    """List what is asked when it was used, and is not there: such a system counts as used for ever."""
    extension = system.x.get("x-tycho")
    question = read_terms(extension).question if isinstance(extension, Mapping) else None
    if question and question.service not in names:
        path = f"x-tycho.{IDLE}.service"
        yield system.make_problem(path, f"there is no service {question.service}", f"known: {', '.join(names)}")


def _make_artifact(
    policy_result: PolicyResult, refusal: PolicyDenied | None, wishes: Wishes, compiler: Compiler
) -> Artifact:
    """Make the artifact, or say in one error all that keeps it from being made."""
    try:
        artifact = compiler.compile(policy_result, strict=wishes.strict, version=wishes.version)
    except (ComposeError, PolicyDenied) as error:
        if not refusal:
            raise
        # What its pods would be refused for, or --strict, is said once policies let them pass.
        if isinstance(error, ComposeError) and not isinstance(error, ReportError):
            refusal.problems += error.problems
        raise refusal from None
    if refusal:
        raise refusal
    return artifact
