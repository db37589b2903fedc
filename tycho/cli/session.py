"""Run the verbs with what the options name: a project, a cluster or a service."""

from __future__ import annotations

import math
import signal
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import structs

from tycho.cli import ends, metadata, show
from tycho.cli.caller import read_caller
from tycho.cli.clock import CLOCK
from tycho.cli.local import find_kubeconfig
from tycho.cli.options import ClusterOptions, StartTargetOptions
from tycho.time_limit import limit_time
from tycho.workspace import sweep

if TYPE_CHECKING:
    from tycho.access import AccessOptions
    from tycho.api.listening import Listening
    from tycho.cli.options import CompileOptions
    from tycho.compilation import Compilation, Compiled
    from tycho.compose import Sources
    from tycho.lifecycle import Lifecycle
    from tycho.orchestrators import Target
    from tycho.settings import Settings

T = TypeVar("T")


def compile_project(
    compilation: Compilation,
    options: CompileOptions,
    sources: Sources,
    *,
    version: str = "",
    services: Sequence[str] = (),
    keep: Sequence[str] = (),
    starts: bool = False,
    warn: bool = True,
    ttl: str = "",
) -> Compiled:
    """Compile the chart of a project; warnings go to stderr.

    Args:
        compilation: What compiles it.
        options: The command's options.
        sources: The compose files.
        version: The chart's version; made of its content by default.
        services: Of these services and what they depend on alone; of all when empty.
        keep: Beside such services, those that run already and are to go on.
        starts: Whether it is started next: what cannot be is refused before anything is built for it.
        warn: Whether warnings are written.
        ttl: How long it runs; "" for what the files say.

    Raises:
        ComposeError: With every problem of the files.
    """
    compiled = compilation.compile(
        sources,
        metadata=metadata.read(options.metadata),
        strict=options.strict,
        version=version,
        services=services,
        keep=keep,
        ttl=ttl,
    )
    project = compiled.policy_result.system
    warnings = (*project.warnings, *compiled.policy_result.warnings)
    if starts:
        from tycho.chart import check_start
        from tycho.errors import ComposeError

        try:
            check_start(project)
        except ComposeError as error:
            paths = {problem.path for problem in error.problems}
            error.warnings = tuple(warning for warning in warnings if warning.path not in paths)
            raise
    if warn and warnings:
        show.problems(warnings)
    return compiled


def offline(policies: Sequence[str] | None = None, options: ClusterOptions | None = None) -> Compilation:
    """Return what compiles, and needs no cluster.

    Args:
        policies: Folders of policies.
        options: For which orchestrator; its cluster is not touched.
    """
    from tycho import orchestrators
    from tycho.compilation import Compilation
    from tycho.settings import settings

    options, defaults = options or ClusterOptions(), settings()
    compiler = orchestrators.get_compiler(options.backplane or defaults.backplane, _make_target(options, defaults))
    return Compilation(compiler, policies=_list_folders(policies, defaults), urls=defaults.urls)


def _make_target(options: ClusterOptions, defaults: Settings, kubeconfig: str = "") -> Target:
    from tycho.orchestrators import Target

    return Target(
        kubeconfig=kubeconfig or defaults.kubeconfig,
        context="" if kubeconfig else options.context or defaults.context,
        namespace=options.namespace or defaults.namespace,
    )


def _list_folders(policies: Sequence[str] | None, defaults: Settings) -> list[Path]:
    return [Path(folder) for folder in (*defaults.policies, *(policies or ()))]


def _make_lifecycle(options: ClusterOptions, policies: Sequence[str] | None, kubeconfig: str = "") -> Lifecycle:
    """Return the verbs on a cluster.

    Args:
        options: Which cluster, and by which orchestrator.
        policies: Folders of policies.
        kubeconfig: The way to the cluster, where it is not the caller's own.
    """
    from tycho import orchestrators
    from tycho.lifecycle import Lifecycle
    from tycho.settings import settings

    defaults = settings()
    target, folders = _make_target(options, defaults, kubeconfig), _list_folders(policies, defaults)
    orchestrator = orchestrators.get(options.backplane or defaults.backplane, target)
    return Lifecycle(orchestrator, target, policies=folders, caller=read_caller(), urls=defaults.urls)


def _find_kubeconfig(target: ClusterOptions) -> str:
    """Find the kubeconfig of this machine's cluster, where that is the one to use, and any cluster is.

    Raises:
        UsageError: The orchestrator runs systems without a cluster, and one is named.
    """
    from tycho.settings import settings

    name = target.backplane or settings().backplane
    if name == settings().backplane == "helm":
        return find_kubeconfig(target)
    from tycho import orchestrators

    options = {"--local": target.local, "--namespace": target.namespace, "--context": target.context}
    orchestrators.check_options(name, options)
    return find_kubeconfig(target) if orchestrators.find_class(name).takes_cluster_options else ""


def find_service(option: str) -> str:
    """Return the address of the service that a command is to talk to; "" where it works on the cluster itself."""
    from tycho.settings import settings

    return option or settings().service


def _refuse_options(target: StartTargetOptions, policies: Sequence[str] | None) -> None:
    """Refuse options that the service alone decides."""
    from tycho.errors import UsageError

    options = {**structs.asdict(target), "service": "", "policies": policies}
    if given := [f"--{name}" for name, value in options.items() if value]:
        how = "--service" if target.service else "TYCHO_SERVICE"
        hint = "leave it out" if target.service else "leave it out, or unset TYCHO_SERVICE"
        raise UsageError(f"{', '.join(given)}: with {how}, the service decides this", hint=hint)


def _make_remote(url: str) -> Lifecycle:
    """Return the verbs of a service."""
    from tycho.cli.caller import read_login
    from tycho.cli.service import RemoteLifecycle
    from tycho.settings import settings

    return RemoteLifecycle(url, settings().username or read_login())


def run(
    act: Callable[[Lifecycle], Coroutine[Any, Any, T]],
    target: StartTargetOptions | None = None,
    *,
    policies: Sequence[str] | None = None,
    timeout: float = math.inf,
) -> T:
    """Run a verb to its end; Ctrl-C and its like cancel it, and whatever it started.

    Args:
        act: Uses the verbs.
        target: Which cluster or service is meant; None where no service can be.
        policies: Folders of policies.
        timeout: Seconds that all of it may take; any number by default.

    Raises:
        UsageError: A service is meant, and an option that it decides itself was given.
    """
    url = find_service(target.service) if target else ""
    target = target or StartTargetOptions()
    if url:
        _refuse_options(target, policies)
    kubeconfig = "" if url else _find_kubeconfig(target)
    sweep()

    async def act_and_close() -> T:
        lifecycle = _make_remote(url) if url else _make_lifecycle(target, policies, kubeconfig)
        if not url:
            CLOCK.read = lifecycle.orchestrator.now
        try:
            with limit_time(timeout):
                return await act(lifecycle)
        finally:
            await lifecycle.orchestrator.close()

    return run_until_signal(act_and_close())


def run_until_interrupt(
    act: Callable[[Lifecycle], Coroutine[Any, Any, None]], target: StartTargetOptions | None = None
) -> None:
    """Run what has no end of its own: Ctrl-C ends it well; see `run`."""
    try:
        run(act, target)
    except KeyboardInterrupt:
        if ends.received() != signal.SIGINT:
            raise
        ends.forget()


def run_until_signal(act: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end; the first signal that asks this process to end cancels it.

    Raises:
        KeyboardInterrupt: It was cancelled.
    """
    import asyncio

    async def whole() -> T:
        ends.cancel_on_signal(asyncio.current_task())
        return await act

    try:
        return asyncio.run(whole())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    finally:
        ends.cancel_on_signal(None)


def serve(
    *,
    cluster: ClusterOptions,
    policies: Sequence[str] | None,
    listening: Listening,
    access: AccessOptions,
    debug: bool,
) -> None:
    """Serve the verbs over HTTP until interrupted."""
    from tycho import api
    from tycho.access import make_authority

    lifecycle = _make_lifecycle(cluster, policies, _find_kubeconfig(cluster))
    authority = make_authority(access, lifecycle.target)
    api.serve(lifecycle, authority=authority, listening=listening, debug=debug)
    ends.forget()  # a service that was asked to end has done so
