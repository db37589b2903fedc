"""`tycho open`: a service in the browser, by its URL, or by a port of this machine that leads to it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from tycho.cli import show
from tycho.cli.options import INPUT, OUTPUT, READING, FindTimeout, Force, TargetOptions
from tycho.cli.project import SystemOptions, choose_system
from tycho.cli.session import find_service, run
from tycho.errors import NotFound, TychoError, UsageError
from tycho.time_limit import limit_time

if TYPE_CHECKING:
    from tycho.lifecycle import Lifecycle
    from tycho.release import Release, ServiceStatus

LOOPBACK = "127.0.0.1"
Words = Annotated[
    list[str] | None, typer.Argument(metavar="[ID] [SERVICE]", help="Which service; by default the first to open.")
]
Print = Annotated[bool, typer.Option("--print", "-q", "--quiet", help="Print the URL, and open no browser.",
                                     rich_help_panel=OUTPUT)]  # fmt: skip
Port = Annotated[int | None, typer.Option("-p", "--port", metavar="PORT", min=1, max=65535,
                                   help="Forward to this port of the container, URL or not.",
                                   rich_help_panel=INPUT)]  # fmt: skip


def open_(
    words: Words = None,
    *,
    print_: Print = False,
    port: Port = None,
    system: SystemOptions,
    force: Force = False,
    target: TargetOptions,
    timeout: FindTimeout = READING,
) -> None:
    r"""Open a service in the browser, by its URL or a forwarded port.

    \b
    Examples:
      tycho open
      tycho open shop web
      tycho open shop --print
      tycho open shop db --port 5432

    ID defaults to the project of this folder. Without a URL, a port of 127.0.0.1 leads there until Ctrl-C.
    """
    distant = bool(find_service(target.service))
    if distant and port:
        raise UsageError("--port takes the cluster itself: a service forwards no ports",
                         hint="leave out --service, or unset TYCHO_SERVICE")  # fmt: skip

    async def act(lifecycle: Lifecycle) -> None:
        with limit_time(timeout):
            chosen, services = await choose_system(lifecycle, system, words or (), id=system.id)
            (release,) = await lifecycle.status([chosen.identity.guid])
        if len(services) > 1:
            raise UsageError(
                "one service is opened at a time", hint=f"write `tycho open {chosen.identity.name} {services[0]}`"
            )
        show.simulated([release])
        if url := "" if port else find_url(release, services, distant=distant):
            await _open(url, quiet=print_)
        elif distant:
            raise refuse_far(release, services)
        else:
            if not force:
                await lifecycle.check_owner(release, release.identity.name, await lifecycle.identify(system.origin()))
            await _forward(lifecycle, release, services, port, quiet=print_)

    run(act, target)


def find_url(release: Release, services: Sequence[str], *, distant: bool) -> str:
    """Find the URL of a system, or of the one service that is named; "" where there is none.

    Args:
        release: The system.
        services: At most one name.
        distant: Whether nothing but an address can be opened, be it that of a published port.

    Raises:
        NotFound: There is no such service.
    """
    if not services:
        routed = next((status.url for status in release.services if status.url), "")
        return routed or (release.url if distant else "")
    status = find_status(release, services[0])
    if status.url or not distant:
        return status.url
    return next((f"http://{endpoint.host_port}" for endpoint in status.endpoints), "")


def find_status(release: Release, service: str) -> ServiceStatus:
    """Find a service of a system.

    Raises:
        NotFound: There is none of this name; says which there are.
    """
    names = [status.name for status in release.services]
    if service not in names:
        raise NotFound(f"{release.identity.name} has no service {service}", hint=f"it has: {', '.join(names)}")
    return release.services[names.index(service)]


def refuse_far(release: Release, services: Sequence[str]) -> NotFound:
    """Make the error for what has no URL, where nothing else leads to it.

    Args:
        release: The system.
        services: At most one name.
    """
    routed = next((status.name for status in release.services if status.url), "")
    other = f"{routed} has one" if routed else "its operator gives systems no URLs"
    return NotFound(
        f"{services[0] if services else release.identity.name} has no URL",
        hint=f"{other}; `tycho open` without --service forwards a port",
    )


async def _open(url: str, *, quiet: bool) -> None:
    """Print a URL, and show it in a browser unless that is not wanted."""
    show.emit(url)
    show.flush()
    if quiet or not url.startswith(("http://", "https://")):
        return
    import webbrowser

    if not await asyncio.to_thread(webbrowser.open, url):
        show.info("no browser can be opened here: open the URL yourself")


async def _forward(
    lifecycle: Lifecycle, release: Release, services: Sequence[str], port: int | None, *, quiet: bool
) -> None:
    """Let a free port of this machine lead to a service until Ctrl-C."""
    if services:
        find_status(release, services[0])
    service = services[0] if services else _choose(release)
    known = await lifecycle.ports(release, service)
    if not port and not known:
        raise NotFound(f"{service} is not known to listen at any port", hint="name one: --port 8080")
    target = port or _prefer_published(release, service, known)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from tycho.orchestrators import Connection

        try:
            await lifecycle.forward(release, service, target, Connection(reader, writer))
        except TychoError as error:
            show.error(error)
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    server = await asyncio.start_server(serve, LOOPBACK, 0)
    try:
        number = server.sockets[0].getsockname()[1]
        show.info(f"port {number} of this machine leads to port {target} of {service}, until Ctrl-C")
        await _open(f"http://{LOOPBACK}:{number}/", quiet=quiet)
        await asyncio.Event().wait()
    finally:
        server.close()  # what is connected is not waited for: a browser keeps its connections


def _choose(release: Release) -> str:
    """Choose the service to open: the first that publishes a port, else the first."""
    if not release.services:
        raise NotFound(f"{release.identity.name} has no service")
    published = (status.name for status in release.services if status.endpoints)
    return next(published, release.services[0].name)


def _prefer_published(release: Release, service: str, known: Sequence[int]) -> int:
    """Choose the port to forward: the first that is published, else the first that is known."""
    published = (endpoint.target for status in release.services if status.name == service
                 for endpoint in status.endpoints if endpoint.target in known)  # fmt: skip
    return next(published, known[0])
