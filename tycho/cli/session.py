"""From options to the verbs: sources, target, lifecycle, service."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from tycho.cli import ends, metadata, show
from tycho.cli.caller import read_caller
from tycho.workspace import sweep

if TYPE_CHECKING:
    from tycho.access import AccessOptions
    from tycho.api.listening import Listening
    from tycho.compose import Sources
    from tycho.lifecycle import Compiled, Lifecycle, Metadata

T = TypeVar("T")
TALKATIVE = ("kubernetes", "oauthlib", "requests_oauthlib", "google", "httpcore", "httpcore2", "aiohttp")
"""Loggers that write headers, bodies or tokens where they are asked for all they know."""


@dataclass(frozen=True, slots=True)
class Input:
    """What the input options said."""

    files: Sequence[str] = ()
    name: str = ""
    env_files: Sequence[str] = ()
    profiles: Sequence[str] = ()
    directory: str = ""
    metadata: str = ""
    strict: bool = False
    version: str = ""
    root: str = ""
    outputs: Sequence[str] = ()

    def sources(self) -> Sources:
        """The compose files, found as Docker Compose finds them."""
        from tycho.compose import Sources
        from tycho.settings import environment

        return Sources.from_disk(
            self.files,
            env=environment(),
            project_directory=self.directory,
            env_files=self.env_files,
            name=self.name,
            profiles=self.profiles,
            root=self.root,
            outputs=tuple(filter(None, self.outputs)),
        )

    def services(self) -> Metadata:
        """What the caller says of single services."""
        return metadata.read(self.metadata)

    def compile(
        self,
        lifecycle: Lifecycle,
        sources: Sources | None = None,
        services: Sequence[str] = (),
        keep: Sequence[str] = (),
        *,
        starts: bool = False,
    ) -> Compiled:
        """Compile the chart of a project; warnings go to stderr.

        Args:
            lifecycle: What compiles it.
            sources: The compose files; those of the options by default.
            services: Of these services and what they depend on alone; of all when empty.
            keep: Beside such services, those that run already and are to go on.
            starts: Whether it is started next: what cannot be is refused before anything is built for it.

        Raises:
            ComposeError: With every problem of the files.
        """
        compiled = lifecycle.compile(
            sources or self.sources(),
            metadata=self.services(),
            strict=self.strict,
            version=self.version,
            services=services,
            keep=keep,
        )
        system = compiled.policy_result.system
        warnings = (*system.warnings, *compiled.policy_result.warnings)
        if starts:
            from tycho.chart import check_start
            from tycho.errors import ComposeError

            try:
                check_start(system)
            except ComposeError as error:
                paths = {problem.path for problem in error.problems}
                error.warnings = tuple(warning for warning in warnings if warning.path not in paths)
                raise
        if warnings:
            show.problems(warnings)
        return compiled


def offline(policies: Sequence[str] | None = None) -> Lifecycle:
    """A lifecycle for what needs no cluster."""
    return _lifecycle(policies=policies)


def _lifecycle(
    namespace: str = "",
    context: str = "",
    kubeconfig: str = "",
    backplane: str = "",
    policies: Sequence[str] | None = None,
    url: str = "",
) -> Lifecycle:
    if url:
        return _remote(url)
    from tycho import orchestrators
    from tycho.lifecycle import Lifecycle
    from tycho.settings import settings

    said = settings()
    target = orchestrators.Target(
        kubeconfig=kubeconfig or said.kubeconfig,
        context=context or said.context,
        namespace=namespace or said.namespace,
    )
    folders = [Path(folder) for folder in (*said.policies, *(policies or ()))]
    orchestrator = orchestrators.get(backplane or said.backplane, target)
    return Lifecycle(orchestrator, target, policies=folders, caller=read_caller(), urls=said.urls)


def find_service(option: str) -> str:
    """Return the address of the service that a command is to talk to; "" where it works on the cluster itself."""
    from tycho.settings import settings

    return option or settings().service


def _refuse_options(service: str | None, **options: object) -> None:
    """Refuse options that the service alone decides."""
    from tycho.errors import UsageError

    if given := [f"--{name}" for name, value in options.items() if value]:
        how = "--service" if service else "TYCHO_SERVICE"
        hint = "leave it out" if service else "leave it out, or unset TYCHO_SERVICE"
        raise UsageError(f"{', '.join(given)}: with {how}, the service decides this", hint=hint)


def _remote(url: str) -> Lifecycle:
    from tycho.cli.caller import read_login
    from tycho.cli.service import RemoteLifecycle
    from tycho.settings import settings

    return RemoteLifecycle(url, settings().username or read_login())


def run(
    act: Callable[[Lifecycle], Coroutine[Any, Any, T]],
    *,
    namespace: str = "",
    context: str = "",
    local: bool = False,
    backplane: str = "",
    policies: Sequence[str] | None = None,
    service: str | None = "",
) -> T:
    """Run a verb to its end; Ctrl-C and its like cancel it, and whatever it started.

    Args:
        act: Uses the verbs.
        namespace: As the option says it; so are the others.
        context: Of the kubeconfig.
        local: Whether this machine's own cluster is meant.
        backplane: The orchestrator.
        policies: Folders of them.
        service: A service whose verbs are meant, TYCHO_SERVICE by default; None where no service can.

    Raises:
        UsageError: A service is meant, and an option that it decides itself was given.
    """
    import asyncio

    url = "" if service is None else find_service(service)
    if url:
        _refuse_options(service, local=local, namespace=namespace, context=context, backplane=backplane,
                        policies=policies)  # fmt: skip
    kubeconfig = _local() if local else ""
    sweep()

    async def whole() -> T:
        ends.cancel_on_signal(asyncio.current_task())
        lifecycle = _lifecycle(namespace, "" if local else context, kubeconfig, backplane, policies, url)
        try:
            return await act(lifecycle)
        finally:
            await lifecycle.orchestrator.close()

    try:
        return asyncio.run(whole())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    finally:
        ends.cancel_on_signal(None)


def serve(
    *,
    listening: Listening,
    access: AccessOptions,
    debug: bool,
    namespace: str,
    context: str,
    local: bool,
    backplane: str,
    policies: Sequence[str] | None,
) -> None:
    """Serve the verbs over HTTP until interrupted."""
    from tycho import api
    from tycho.access import make_authority

    kubeconfig = _local() if local else ""
    lifecycle = _lifecycle(namespace, "" if local else context, kubeconfig, backplane, policies)
    authority = make_authority(access, lifecycle.target)
    api.serve(lifecycle, authority=authority, listening=listening, debug=debug)
    ends.forget()  # a service that was asked to end has done so


def _local() -> str:
    """The kubeconfig of this machine's cluster, which is made when there is none."""
    from tycho import localcluster

    made = localcluster.create(progress=show.say)
    return str(made.kubeconfig)


def trace(on: bool) -> None:
    """Log what is done, on stderr."""
    if on:
        from tycho.masking import MaskedFormatter, secret_variables
        from tycho.settings import environment

        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(MaskedFormatter("%(asctime)s %(name)s: %(message)s", secret_variables(environment())))
        logging.basicConfig(level=logging.DEBUG, handlers=[handler])
        for name in TALKATIVE:
            logging.getLogger(name).setLevel(logging.INFO)
