"""`tycho api`: the verbs as a REST service."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from msgspec import Struct
from msgspec.structs import asdict

from tycho.cli.options import ClusterOptions, Policies
from tycho.cli.session import serve

LISTENING, CALLERS = "Where it listens", "Who may"


def _option(name: str, help: str, panel: str, *names: str, **settings: Any) -> Any:
    """Make an option that an environment variable can give, too."""
    variable = f"TYCHO_API_{name.upper().replace('-', '_')}"
    return typer.Option(*names, f"--{name}", help=help, rich_help_panel=panel, envvar=variable, **settings)


Debug = Annotated[bool, typer.Option("--debug", help="Log each request, and what is done for it.")]


class ListeningOptions(Struct, frozen=True):
    """Where the service listens, and with which certificate."""

    port: Annotated[
        int | None,
        typer.Option("-p", "--port", metavar="PORT", help="TCP port. Default: 5000.", rich_help_panel=LISTENING),
    ] = None
    host: Annotated[str, _option("host", "Address to listen on.", LISTENING, metavar="ADDRESS")] = "127.0.0.1"
    tls_cert: Annotated[
        str, _option("tls-cert", "Certificate, with those that signed it.", LISTENING, metavar="FILE")
    ] = ""
    tls_key: Annotated[str, _option("tls-key", "The certificate's key.", LISTENING, metavar="FILE")] = ""
    client_ca: Annotated[
        str,
        _option("client-ca", "Take connections with a certificate of this authority alone.", LISTENING, metavar="FILE"),
    ] = ""
    plain_http: Annotated[
        bool, _option("plain-http", "Speak HTTP beyond this machine: tokens can be read on the way.", LISTENING)
    ] = False


class CallerOptions(Struct, frozen=True):
    """Who may call the service, and how often."""

    tokens: Annotated[
        str, _option("tokens", "Tokens and what they are for, by their hashes.", CALLERS, metavar="FILE")
    ] = ""
    token_review: Annotated[
        bool, _option("token-review", "Ask the cluster about tokens of the audience tycho, and for rights.", CALLERS)
    ] = False
    proxy_header: Annotated[
        str, _option("proxy-header", "Header in which a trusted proxy says who asks.", CALLERS, metavar="NAME")
    ] = ""
    trust_proxy: Annotated[
        list[str] | None, _option("trust-proxy", "Addresses of that proxy.", CALLERS, metavar="CIDR[,CIDR]")
    ] = None
    namespaces: Annotated[
        str,
        _option(
            "namespaces",
            "Shared namespaces that callers may name; * and {user} fit.",
            CALLERS,
            metavar="NAME[,PATTERN]",
        ),
    ] = ""
    rate: Annotated[
        float, _option("rate", "Requests a second of one caller; 0 for any number.", CALLERS, metavar="NUMBER")
    ] = 0.0


def api(
    debug: Debug = False,
    *,
    listening: ListeningOptions,
    callers: CallerOptions,
    cluster: ClusterOptions,
    policies: Policies = None,
) -> None:
    r"""Serve the verbs over HTTP: OpenAPI at /openapi.json, pages at /docs and /apidocs.

    \b
    Examples:
      tycho api --debug
      tycho up --service http://127.0.0.1:5000 -f compose.yaml
      tycho api --host 0.0.0.0 --tokens t.yaml --tls-cert c.pem --tls-key k.pem

    Beyond this machine it needs to know who asks: see docs/security.md.
    """
    if debug:
        from tycho.cli.trace import start_trace

        start_trace()
    from tycho.access import AccessOptions
    from tycho.api.listening import Listening
    from tycho.settings import settings

    port = settings().api_port if listening.port is None else listening.port
    serve(
        cluster=cluster,
        policies=policies,
        listening=Listening(**{**asdict(listening), "port": port}),
        access=AccessOptions(
            **{
                **asdict(callers),
                "trust_proxy": _split(",".join(callers.trust_proxy or ())),
                "namespaces": _split(callers.namespaces),
            },
            mutual_tls=bool(listening.client_ca),
        ),
        debug=debug,
    )


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
