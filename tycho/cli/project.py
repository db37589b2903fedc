"""The project of this folder: what a verb means that names no system."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec import Struct, field

from tycho.cli.caller import make_origin
from tycho.cli.options import INPUT, Directory, Files, FilesLong, Name
from tycho.errors import ComposeError, NotFound

if TYPE_CHECKING:
    from tycho.compose import Sources
    from tycho.lifecycle import Lifecycle
    from tycho.ownership import Caller
    from tycho.release import Origin, Release


class LocalProject(Struct, frozen=True):
    """A compose project on this machine.

    Args:
        name: As Compose names it.
        file: Its first compose file, as a reader finds it; "" when only its name was given.
        services: Every service of it, with its profiles.
        origin: What an `up` of it would be started from; None when only its name was given.
    """

    name: str
    file: str = ""
    services: dict[str, tuple[str, ...]] = field(default_factory=dict)
    origin: Origin | None = None

    @property
    def title(self) -> str:
        """The project with the place that it comes from, for messages."""
        return f"{self.name} ({self.file})" if self.file else self.name


class ProjectOptions(Struct, frozen=True, dict=True):
    """Which project of this machine a command means; its compose file is read when it is asked for."""

    files: Files = None
    name: Name = ""
    project_directory: Directory = ""

    @property
    def given(self) -> bool:
        """Whether options say which project is meant, so that no word is taken for a system."""
        return bool(self.files or self.name or self.project_directory)

    @cached_property
    def _project(self) -> LocalProject | None:
        from tycho.compose import NoComposeFile, Sources, outline
        from tycho.settings import environment

        env = environment()
        try:
            sources = Sources.from_disk(
                self.files or (), env=env, project_directory=self.project_directory, name=self.name
            )
        except NoComposeFile:
            name = self.name or env.get("COMPOSE_PROJECT_NAME", "")
            return LocalProject(name) if name else None
        outlined = outline(sources)
        origin = make_origin(sources.directory, outlined.name, named=outlined.named)
        return LocalProject(outlined.name, _describe_place(sources), dict(outlined.services), origin)

    def find(self) -> LocalProject | None:
        """Find the project as `tycho up` does; None where there is no compose file.

        Raises:
            ComposeError: A file that was named cannot be read, or the project's name cannot be one.
        """
        return self._project

    def origin(self) -> Origin | None:
        """Return what an `up` of the project here would be started from; None where there is none, or a broken one."""
        try:
            project = self.find()
        except ComposeError:
            return None
        return project.origin if project else None


class SystemOptions(ProjectOptions, frozen=True):
    """Which running system a command means, whose words may be services."""

    id: Annotated[
        str,
        typer.Option("--id", metavar="ID", help="The system; all words are then services.", rich_help_panel=INPUT),
    ] = ""


class FollowedSystemOptions(SystemOptions, frozen=True):
    """Which running system a command means that has -f for --follow."""

    files: FilesLong = None


async def choose_system(
    lifecycle: Lifecycle,
    here: ProjectOptions,
    words: Sequence[str] = (),
    *,
    id: str = "",
    change: bool = False,
    force: bool = False,
    removes: bool = False,
) -> tuple[Release, tuple[str, ...]]:
    """Choose the system that a command is to act on, and what is left of its words: its services.

    A first word that names a running system is its ID. Without one, the project of this folder is meant.

    Args:
        lifecycle: Where to look.
        here: The project of this folder.
        words: What the command line says: `[ID] [SERVICE]...`.
        id: The system, where it was named by an option: all words are then services.
        change: Whether the command changes it: then it must be the caller's own.
        force: Whether it need not be.
        removes: Whether the command removes it: then it need not run.

    Raises:
        NotFound: No system is meant, or the one that is does not run (any more); says what runs.
        Ambiguous: Several systems fit.
        Conflict: It is somebody else's, and is to be changed.
    """
    from tycho.choices import check_removable, check_running

    caller = await lifecycle.identify(here.origin())
    release, written, services = await _choose(lifecycle, here, words, id, caller)
    (check_removable if removes else check_running)(release)
    if change and not force:
        await lifecycle.check_owner(release, written, caller)
    return release, services


async def _choose(
    lifecycle: Lifecycle, here: ProjectOptions, words: Sequence[str], id: str, caller: Caller
) -> tuple[Release, str, tuple[str, ...]]:
    """Choose a system; with it, how it was named, and the words that are left."""
    from tycho.choices import choose_only, find_release, list_candidates, list_running

    releases = await lifecycle.status(services=False)
    if id:
        return find_release(releases, id, prefers=caller.prefers), id, tuple(words)
    if words and not here.given:
        release = _named(releases, here, words[0], caller)
        if release:
            return release, words[0], tuple(words[1:])
    project = here.find()
    if project is None:
        if words:
            return find_release(releases, words[0], prefers=caller.prefers), words[0], ()
        raise NotFound(
            "no system is named, and there is no compose file here or in any folder above",
            hint=f"name one; {list_running(releases)}",
        )
    if words and project.file and words[0] not in project.services:
        raise NotFound(
            f'no system "{words[0]}" runs, and {project.title} has no service of that name',
            hint=f"{list_running(releases)}; services: {', '.join(project.services) or 'none'}",
        )
    matches = [release for release in releases if release.identity.name == project.name]
    own = [release for release in matches if caller.prefers(release.identity)]
    if not own:
        foreign = [release for release in matches if not caller.owns(release.identity)]
        reason = "is somebody else's" if foreign == matches else "was not started from here, or is somebody else's"
        others = f"{list_candidates(matches)} {reason}; " if matches else "`tycho up` starts it; "
        raise NotFound(f"{project.title} does not run", hint=f"{others}{list_running(releases)}")
    release = choose_only(own, project.name)
    return release, release.identity.guid, tuple(words)


def _named(releases: Sequence[Release], here: ProjectOptions, word: str, caller: Caller) -> Release | None:
    """Find the system that a word names; the first digits of a GUID may as well be a service's name."""
    from tycho.choices import find_release

    try:
        release = find_release(releases, word, prefers=caller.prefers)
    except NotFound:
        return None
    identity = release.identity
    exact = (identity.guid, identity.release, identity.name, f"{identity.name}-{identity.guid}")
    if word not in exact and (project := here.find()) and word in project.services:
        return None
    return release


def _describe_place(sources: Sources) -> str:
    """Describe where a project comes from."""
    file = sources.texts[0][0]
    folder = "this folder" if sources.directory == sources.cwd else sources.directory
    return f"{os.path.basename(file)} of {folder}"
