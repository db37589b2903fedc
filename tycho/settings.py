"""What the environment says: the only reader of `os.environ`.

A plain dataclass, for a library would cost every command a quarter of a second.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tycho.urls import UrlOptions

QUIET_TIME = 2.0  # seconds


@dataclass(frozen=True, slots=True)
class Settings:
    """Defaults of the command line, each from `TYCHO_<NAME>`.

    Args:
        username: Who asks, instead of whom the cluster knows.
        namespace: Share this namespace instead of one per system.
        context: Context of the kubeconfig.
        backplane: Orchestrator.
        policies: Folders of further policies, separated as in PATH.
        helm: Path of the helm program, instead of the one on PATH.
        kubeconfig: From `KUBECONFIG`, as kubectl has it.
        cache_dir: What can be made again: programs, versions that were seen.
        state_dir: What cannot: clusters of this machine.
        quiet_time: Seconds that a container without a health check must run before it counts as ready; 0: none.
        nfs_claim: The claim that TYCHO_NFS means in compose files of the first Tycho's.
        api_accounts: Service accounts that containers may run as, where a request asks for one.
        api_port: Port of the service.
        api_drain: Seconds between SIGTERM and the end of listening, in which the service says that it is not ready.
        api_grace: Seconds that requests have to end after that.
        api_reap: Seconds between two looks of the service at systems whose time may be over; 0: it ends none.
        push_prefix: Where images that are built are pushed to: a registry, and a path in it.
        service: A Tycho API that commands talk to instead of the cluster.
        token: Who the caller is to it.
        token_file: A file that holds the same.
        service_account: `NAMESPACE/NAME` whose tokens a client outside of the cluster asks for.
        ca_file: Certificates of the authorities that the API's may be of.
        plain_http: Let a token travel unencrypted to another machine.
        urls: What URLs of systems look like (`TYCHO_URL_TEMPLATE`), and what leads there; None for no URLs.
    """

    username: str
    namespace: str
    context: str
    backplane: str
    policies: tuple[str, ...]
    helm: str
    kubeconfig: str
    cache_dir: Path
    state_dir: Path
    quiet_time: float
    nfs_claim: str
    api_accounts: tuple[str, ...]
    api_port: int
    api_drain: float
    api_grace: float
    api_reap: float
    push_prefix: str
    service: str
    token: str = field(repr=False)
    token_file: str
    service_account: str
    ca_file: str
    plain_http: bool
    urls: UrlOptions | None


@cache
def settings() -> Settings:
    """The settings of this process.

    Raises:
        UsageError: One of them has no meaning.
    """
    env = os.environ
    home = find_home()
    return Settings(
        username=env.get("TYCHO_USERNAME", ""),
        namespace=env.get("TYCHO_NAMESPACE", ""),
        context=env.get("TYCHO_CONTEXT", ""),
        backplane=env.get("TYCHO_BACKPLANE") or "helm",
        policies=tuple(filter(None, env.get("TYCHO_POLICIES", "").split(os.pathsep))),
        helm=env.get("TYCHO_HELM", ""),
        kubeconfig=env.get("KUBECONFIG", ""),
        cache_dir=Path(env.get("XDG_CACHE_HOME") or home / ".cache") / "tycho",
        state_dir=Path(env.get("XDG_STATE_HOME") or home / ".local" / "state") / "tycho",
        quiet_time=_read_seconds("TYCHO_QUIET_TIME", QUIET_TIME),
        nfs_claim=env.get("TYCHO_NFS_CLAIM", ""),
        api_accounts=tuple(filter(None, re.split(r"[\s,]+", env.get("TYCHO_API_SERVICE_ACCOUNTS", "")))),
        api_port=_read_port("TYCHO_API_PORT", 5000),
        api_drain=_read_seconds("TYCHO_API_DRAIN", 0.0),
        api_grace=_read_seconds("TYCHO_API_GRACE", 10.0),
        api_reap=_read_seconds("TYCHO_API_REAP", 60.0),
        push_prefix=env.get("TYCHO_PUSH_PREFIX", ""),
        service=env.get("TYCHO_SERVICE", ""),
        token=env.get("TYCHO_TOKEN", ""),
        token_file=env.get("TYCHO_TOKEN_FILE", ""),
        service_account=env.get("TYCHO_SERVICE_ACCOUNT", ""),
        ca_file=env.get("TYCHO_CA_FILE", ""),
        plain_http=env.get("TYCHO_PLAIN_HTTP", "") not in {"", "0", "false"},
        urls=_read_urls(env),
    )


def _read_urls(env: Mapping[str, str]) -> UrlOptions | None:
    """Read what the environment says of URLs."""
    if not env.get("TYCHO_URL_TEMPLATE"):
        return None
    from tycho.urls import read_options

    return read_options(env)


def _read_seconds(name: str, default: float) -> float:
    """Read a time from the environment."""
    text = os.environ.get(name, "")
    try:
        seconds = float(text or default)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < 86_400:  # which nan is not, either
        from tycho.errors import UsageError

        raise UsageError(f"{name} is not a number of seconds", hint="write for example 2, or 0 to switch it off")
    return seconds


def _read_port(name: str, default: int) -> int:
    """Read a port from the environment; Kubernetes writes an address there for a Service that is called as Tycho's."""
    text = os.environ.get(name, "")
    if not text or text.startswith("tcp://"):
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 6):
        from tycho.errors import UsageError

        raise UsageError(f"{name} is not a port", hint="write for example 5000")
    return int(text)


def find_home() -> Path:
    """Find the home folder; for a user who has none, a place where nothing can be."""
    if home := os.environ.get("HOME"):
        return Path(home)
    import pwd

    try:
        return Path(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:
        return Path(os.devnull)


def environment() -> Mapping[str, str]:
    """The caller's environment, for a compose file's variables and for the programs that Tycho runs."""
    return dict(os.environ)
