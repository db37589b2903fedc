"""What the operator says about who may: as text, and as what it means."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from tycho.access.authority import Authority, find_own_namespace
from tycho.access.proxy import Proxy, read_networks
from tycho.access.reviews import Reviews
from tycho.access.tokens import TokenFile
from tycho.errors import UsageError
from tycho.orchestrators import Target


class AccessOptions(Struct, frozen=True):
    """How callers prove who they are, and what they may name.

    Args:
        tokens: Path of a token file.
        token_review: Whether the cluster is asked about tokens.
        proxy_header: The header in which a proxy says who asks.
        trust_proxy: Addresses of that proxy, or ranges of them.
        mutual_tls: Whether every connection shows a certificate of an authority that the operator names.
        namespaces: Shared namespaces that callers may name.
        rate: Requests a second of one caller; 0 for any number.
    """

    tokens: str = ""
    token_review: bool = False
    proxy_header: str = ""
    trust_proxy: Sequence[str] = ()
    mutual_tls: bool = False
    namespaces: Sequence[str] = ()
    rate: float = 0.0


def make_authority(options: AccessOptions, target: Target) -> Authority:
    """Make what decides who may.

    Args:
        options: What the operator says.
        target: The cluster that is asked.

    Raises:
        UsageError: Something makes no sense; a token file with all its problems.
    """
    if options.proxy_header and not (options.trust_proxy or options.mutual_tls):
        raise UsageError(
            "any caller could use any name",
            hint="--trust-proxy names the proxy's addresses, or --client-ca who signed its certificate",
        )
    if options.trust_proxy and not options.proxy_header:
        raise UsageError("a proxy is trusted, but with what?", hint="--proxy-header names the header with the user")
    if not 0 <= options.rate < 1e6:
        raise UsageError("this is no number of requests a second", hint="write for example 20, or 0 for any number")
    reviews = None
    if options.token_review:
        from tycho.kube.client import KubeClient

        reviews = Reviews(KubeClient(target.kubeconfig, target.context), time.monotonic)
    return Authority(
        tokens=TokenFile(Path(options.tokens)) if options.tokens else None,
        reviews=reviews,
        proxy=Proxy(options.proxy_header, read_networks(options.trust_proxy)) if options.proxy_header else None,
        namespaces=options.namespaces,
        rate=options.rate,
        own_namespace=find_own_namespace(),
    )
