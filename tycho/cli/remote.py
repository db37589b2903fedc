"""The same verbs asked of a Tycho API (`--service URL`) instead of the cluster."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tycho.cli import show
from tycho.cli.caller import find_origin, read_login
from tycho.cli.session import Input
from tycho.errors import TychoError, UsageError

if TYPE_CHECKING:
    from tycho.cli.project import Here
    from tycho.compose import Sources
    from tycho.files import FileContent
    from tycho.model import Project
    from tycho.release import Origin, Release

LARGEST = 700 * 1024  # bytes of files: in base64 they, the document and the rest fill the request of 1 MiB


def refuse_options(**options: object) -> None:
    """Refuse options that the service alone decides.

    Args:
        options: Name of each, with its value.

    Raises:
        UsageError: Names those that were given.
    """
    if given := [f"--{name.replace('_', '-')}" for name, value in options.items() if value]:
        raise UsageError(f"{', '.join(given)}: with --service, the service decides this", hint="leave it out")


def up(
    url: str, given: Input, sources: Sources, *, new: bool, id: str, replace: bool, modify: bool, wait: bool
) -> Release:
    """Start or upgrade a system there: its document goes along, with its variables, its metadata and its files.

    Args:
        url: The service.
        given: The input options.
        sources: The compose files.
        new: Start another one even where one runs.
        id: Which of several is meant, or "".
        replace: Upgrade it even if somebody else started it, or from elsewhere.
        modify: Fail if none runs.
        wait: Return once it is ready.

    Raises:
        UsageError: There are several documents, or files that cannot travel.
    """
    import yaml

    from tycho.client import TychoClient
    from tycho.compose import load

    if len(sources.texts) != 1:
        raise UsageError("a request is one compose document", hint="`tycho config` makes one of several files")
    try:
        document = yaml.safe_load(sources.texts[0][1])
    except yaml.YAMLError as error:
        why = getattr(error, "problem", None) or "it cannot be read"  # all that it says may quote a line
        raise UsageError(f"{sources.texts[0][0]} is not YAML: {why}") from None
    recorded, files = sources.recorded()
    system = load(recorded)
    client = TychoClient(url)
    guid = _only(client, id or (system.name if modify else ""))
    started = client.start({
        "name": system.name,
        "system": document,
        "env": _variables(sources, system),
        "services": {name: about.model_dump(exclude_unset=True) for name, about in given.services().items()},
        "files": _files(sources, files),
        "upgrade": not new,
        "replace": replace,
        "wait": wait,
        **({"tycho-guid": guid} if guid and id else {}),
        **_asked(find_origin(sources, system)),
    })  # fmt: skip
    _succeed(started)
    for note in started.result.get("notes", ()):
        show.say(note)
    (release,) = status(url, [started.identifier])
    return release


def status(url: str, ids: Sequence[str]) -> Sequence[Release]:
    """What runs there."""
    from tycho.client import TychoClient

    client = TychoClient(url)
    answers = [client.status({"name": id}) for id in ids] or [client.status()]
    for answer in answers:
        _succeed(answer)
    return [_release(row) for answer in answers for row in answer.result]


def find_own(url: str, here: Here) -> Sequence[str]:
    """Find the system there that the caller started from this folder: its GUID; none, with a line that says so."""
    from tycho.ownership import Caller

    project = here.find()
    if project is None:
        show.say("nothing to remove: no system is named, and there is no compose file here or in any folder above")
        return ()
    caller = Caller(username=_username(), origin=project.origin)
    own = [
        release.identity.guid
        for release in status(url, ())
        if release.identity.name == project.name and caller.prefers(release.identity)
    ]
    if not own:
        show.say(f"nothing to remove: {project.title} does not run there")
    return own


def down(
    url: str, ids: Sequence[str], *, force: bool, keep_volumes: bool, origin: Origin | None = None
) -> list[TychoError]:
    """Remove systems there; those that failed are returned."""
    from tycho.client import TychoClient

    client, failed = TychoClient(url), []
    for id in dict.fromkeys(ids):
        answer = client.delete({"name": id, "force": force, "keep-volumes": keep_volumes, **_asked(origin)})
        if error := answer.error:
            failed.append(error)
            show.error(error)
        else:
            show.out(id)
            for note in answer.message.split("\n")[1:]:
                show.say(note)
    return failed


def _username() -> str:
    from tycho.settings import settings

    return settings().username or read_login()


def _asked(origin: Origin | None) -> dict[str, Any]:
    """Who asks, and from which project."""
    from tycho.release import label_value

    about: dict[str, Any] = {"username": label_value(_username())}
    return {**about, "origin": origin.model_dump(exclude={"project"})} if origin else about


def _only(client: Any, id: str) -> str:
    """The GUID of a system that has to run."""
    if not id:
        return ""
    answer = client.status({"name": id})
    _succeed(answer)
    return str(answer.result[0]["sid"])


def _variables(sources: Sources, system: Project) -> dict[str, str]:
    """The variables that the document reads, and no others: the rest of an environment is nobody's business."""
    return {name: sources.env[name] for name in (*system.variables, *system.baked) if name in sources.env}


def _files(sources: Sources, files: Mapping[str, FileContent]) -> dict[str, Any]:
    """The project's files that the document mounts or reads, by their paths below the project's folder.

    Raises:
        UsageError: Some lie outside of that folder, or they are too large together.
    """
    import os

    relative = {os.path.relpath(path, sources.directory): file for path, file in files.items()}
    if outside := sorted(path for path in relative if path.startswith("..")):
        raise UsageError(
            f"{', '.join(outside)}: only files below the project's folder can travel to a service",
            hint="move them there, or copy them into the image",
        )
    if sum(len(file.content) for file in relative.values()) > LARGEST:
        largest = sorted(relative, key=lambda path: -len(relative[path].content))[:3]
        raise UsageError(
            f"the project's files have more than {LARGEST >> 10} KiB, and a request has room for no more",
            hint=f"the largest are {', '.join(largest)}; copy them into the image",
        )
    return {
        path: {"content": b64encode(file.content).decode(), "executable": bool(file.mode & 0o100)}
        for path, file in relative.items()
    }


def _succeed(answer: Any) -> None:
    if answer.error:
        raise answer.error


def _release(row: Mapping[str, Any]) -> Release:
    from tycho.ownership import origin_key
    from tycho.release import Identity, Origin, Release, ServiceStatus

    origin = Origin(**row["origin"]) if row.get("origin") else None
    identity = Identity(
        guid=row["sid"],
        name=row["name"],
        release=row["release"],
        namespace=row["namespace"],
        username=row["username"],
        origin=origin_key(origin),
    )
    services = tuple(ServiceStatus(**service) for service in row["services"])
    return Release(identity=identity, revision=row["revision"], state=row["state"], services=services, origin=origin)
