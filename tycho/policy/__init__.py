"""Apply the operator's policies to a project before its chart is built.

One file is one policy: YAML with selectors and verbs, or Python with `apply(system) -> system`. Policies are applied
in the order of their file names. The shipped folder is read first, then each further one: a file of the same name
replaces, an empty one disables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tycho import data_folders
from tycho.collector import paused
from tycho.errors import PolicyDenied
from tycho.model import Json, PolicyResult, Project, ServiceMetadata
from tycho.model.compose_paths import SECTIONS
from tycho.policy.loader import load_policies, policy_digest
from tycho.policy.normalize import normalize
from tycho.policy.run import PolicyRun, Step

__all__ = ["Step", "active_policies", "apply", "apply_policies", "explain"]

Metadata = Mapping[str, ServiceMetadata]
EXTENSION = "x-tycho"


def apply_policies(system: Project, *, folders: Sequence[Path] = (), metadata: Metadata | None = None) -> PolicyResult:
    """Apply the policies to a system, and raise if they refuse it.

    Args:
        system: A loaded system.
        folders: Folders of policies, after the shipped one.
        metadata: What the caller sets for services, for policies that select by it.

    Raises:
        PolicyError: A policy is broken; all problems of all of them.
        PolicyDenied: Policies refuse the system; every reason, with its place in the compose file.
    """
    policy_result, refusal = apply(system, folders=folders, metadata=metadata)
    if refusal:
        raise refusal
    return policy_result


@paused()
def apply(
    system: Project, *, folders: Sequence[Path] = (), metadata: Metadata | None = None
) -> tuple[PolicyResult, PolicyDenied | None]:
    """Apply the policies to a system, and return the refusal if there is one.

    Args:
        system: A loaded system.
        folders: Folders of policies, after the shipped one.
        metadata: What the caller sets for services, for policies that select by it.

    Returns:
        The changed system, which may have further problems, and the refusal or None.

    Raises:
        PolicyError: A policy is broken; all problems of all of them.
    """
    policies = load_policies((data_folders.policies(), *folders))
    policy_run = PolicyRun(normalize(system), metadata or {})
    for policy in policies:
        policy_run.apply(policy)
    refusal = None
    if policy_run.denials:
        names = ", ".join(sorted({name for name, _ in policy_run.denials}))
        refusal = PolicyDenied(f"refused by {names}", problems=[problem for _, problem in policy_run.denials])
    policy_result = PolicyResult(
        system=policy_run.system,
        emits=tuple(policy_run.emits),
        policies=tuple(policy.name for policy in policies),
        digest=policy_digest(policies),
        warnings=tuple(policy_run.warnings),
        own=dict(_changed_extensions(system, policy_run.system)),
    )
    return policy_result, refusal


def _changed_extensions(before: Project, after: Project) -> Iterator[tuple[str, Json]]:
    """Yield the file's own `x-tycho` of each part where policies changed it."""
    if before.x is not after.x:
        yield "", before.x.get(EXTENSION)
    for section in SECTIONS:
        written = getattr(before, section)
        for name, part in getattr(after, section).items():
            own = written[name].x if name in written else {}
            if own.get(EXTENSION) != part.x.get(EXTENSION):
                yield f"{section}.{name}", own.get(EXTENSION)


def explain(system: Project, *, folders: Sequence[Path] = (), metadata: Metadata | None = None) -> tuple[Step, ...]:
    """List what each policy does to each service, refused or not: whether it selects it, and what it changes.

    Args:
        system: A loaded system.
        folders: Folders of policies, after the shipped one.
        metadata: What the caller sets for services.

    Raises:
        PolicyError: A policy is broken.
    """
    policy_run = PolicyRun(normalize(system), metadata or {})
    for policy in load_policies((data_folders.policies(), *folders)):
        policy_run.apply(policy)
    return tuple(policy_run.steps)


def active_policies(folders: Sequence[Path] = ()) -> list[tuple[str, Path, str]]:
    """Return the name, file and description of each active policy, in order.

    Args:
        folders: Folders of policies, after the shipped one.

    Raises:
        PolicyError: A policy is broken.
    """
    return [
        (policy.name, policy.path, policy.description) for policy in load_policies((data_folders.policies(), *folders))
    ]
