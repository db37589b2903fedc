"""The same verbs asked of a Tycho API (`--service URL`) instead of the cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tycho.cli import show
from tycho.cli.session import Input
from tycho.errors import TychoError, UsageError
from tycho.release import Identity, Release, ServiceStatus

if TYPE_CHECKING:
    from tycho.compose import Sources


def up(url: str, said: Input, sources: Sources) -> Release:
    """Start a system there: one compose document goes along, with its variables and its metadata."""
    import yaml

    from tycho.client import TychoClient

    if len(sources.texts) != 1:
        raise UsageError("a request is one compose document", hint="`tycho config` makes one of several files")
    try:
        document = yaml.safe_load(sources.texts[0][1])
    except yaml.YAMLError as error:
        why = getattr(error, "problem", None) or "it cannot be read"  # all that it says may quote a line
        raise UsageError(f"{sources.texts[0][0]} is not YAML: {why}") from None
    services = {name: one.model_dump(exclude_unset=True) for name, one in said.services().items()}
    client = TychoClient(url)
    started = client.start({
        "name": sources.name or sources.fallback,
        "system": document,
        "env": _variables(sources),
        "services": services,
    })  # fmt: skip
    _succeed(started)
    (release,) = status(url, [started.identifier])
    return release


def status(url: str, ids: Sequence[str]) -> Sequence[Release]:
    """What runs there."""
    from tycho.client import TychoClient

    client = TychoClient(url)
    answers = [client.status({"name": id}) for id in ids] or [client.status()]
    for answer in answers:
        _succeed(answer)
    return [_release(one) for answer in answers for one in answer.result]


def down(url: str, ids: Sequence[str]) -> list[TychoError]:
    """Remove systems there; those that failed are returned."""
    from tycho.client import TychoClient

    client, failed = TychoClient(url), []
    for id in dict.fromkeys(ids):
        answer = client.delete({"name": id})
        if error := answer.error:
            failed.append(error)
            show.error(error)
        else:
            show.out(id)
    return failed


def _variables(sources: Sources) -> dict[str, str]:
    """The variables that the document reads, and no others: the rest of an environment is nobody's business."""
    from tycho.compose import load

    system = load(sources)
    return {name: sources.env[name] for name in (*system.variables, *system.baked) if name in sources.env}


def _succeed(answer: Any) -> None:
    if answer.error:
        raise answer.error


def _release(said: Mapping[str, Any]) -> Release:
    identity = Identity(
        guid=said["sid"],
        name=said["name"],
        release=said["release"],
        namespace=said["namespace"],
        username=said["username"],
    )
    services = tuple(ServiceStatus(**one) for one in said["services"])
    return Release(identity=identity, revision=said["revision"], state=said["state"], services=services)
