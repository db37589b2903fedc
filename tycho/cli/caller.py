"""Who asks at this command line, and from which project."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tycho.compose import Sources
    from tycho.model import Project
    from tycho.ownership import Caller
    from tycho.release import Origin


def read_caller() -> Caller:
    """Return who asks: TYCHO_USERNAME, or whom the cluster knows, or else the system's user."""
    from tycho.ownership import Caller
    from tycho.settings import settings

    return Caller(username=settings().username, login=read_login())


def read_login() -> str:
    """Return the system's user; "" for one who has no name."""
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""


def find_origin(sources: Sources, system: Project) -> Origin:
    """Return what a system of these sources is started from.

    Args:
        sources: Where the compose files are.
        system: What was read of them.
    """
    from tycho.compose import outline

    # The caller may repeat the name that the file gives: the same project is meant.
    named = "name" in system.lines and (not sources.name or outline(sources).named)
    return make_origin(sources.directory, system.name, named=named)


def make_origin(folder: str, project: str, *, named: bool) -> Origin:
    """Return an origin on this machine, of this user.

    Args:
        folder: The project's folder, absolute.
        project: The project's name.
        named: Whether the compose file gives that name.
    """
    import platform

    from tycho.release import Origin

    return Origin(user=read_login(), host=platform.node(), folder=folder, project=project, named=named)
