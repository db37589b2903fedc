"""`tycho api`: the verbs as a REST service."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tycho.cli.options import Backplane, Context, Local, Namespace, Policies
from tycho.cli.session import serve, trace

LISTENING, CALLERS = "Where it listens", "Who may"


def _option(name: str, help: str, panel: str, *names: str, **rest: Any) -> Any:
    """Make an option that an environment variable can give, too."""
    variable = f"TYCHO_API_{name.upper().replace('-', '_')}"
    return typer.Option(*names, f"--{name}", help=help, rich_help_panel=panel, envvar=variable, **rest)


def _port() -> int:
    from tycho.settings import settings

    return settings().api_port


Debug = Annotated[bool, typer.Option("--debug", help="Log each request, and what is done for it.")]
Port = Annotated[
    int | None, typer.Option("-p", "--port", metavar="PORT", help="TCP port. Default: 5000.", rich_help_panel=LISTENING)
]
Host = Annotated[str, _option("host", "Address to listen on.", LISTENING, metavar="ADDRESS")]
Certificate = Annotated[str, _option("tls-cert", "Certificate, with those that signed it.", LISTENING, metavar="FILE")]
Key = Annotated[str, _option("tls-key", "The certificate's key.", LISTENING, metavar="FILE")]
ClientCa = Annotated[
    str, _option("client-ca", "Take connections with a certificate of this authority alone.", LISTENING, metavar="FILE")
]
PlainHttp = Annotated[
    bool, _option("plain-http", "Speak HTTP beyond this machine: tokens can be read on the way.", LISTENING)
]
Tokens = Annotated[str, _option("tokens", "Tokens and what they are for, by their hashes.", CALLERS, metavar="FILE")]
TokenReview = Annotated[
    bool, _option("token-review", "Ask the cluster about tokens of the audience tycho, and for rights.", CALLERS)
]
ProxyHeader = Annotated[
    str, _option("proxy-header", "Header in which a trusted proxy says who asks.", CALLERS, metavar="NAME")
]
TrustProxy = Annotated[
    list[str] | None, _option("trust-proxy", "Addresses of that proxy.", CALLERS, metavar="CIDR[,CIDR]")
]
Namespaces = Annotated[
    str,
    _option(
        "namespaces", "Shared namespaces that callers may name; * and {user} fit.", CALLERS, metavar="NAME[,PATTERN]"
    ),
]
Rate = Annotated[
    float, _option("rate", "Requests a second of one caller; 0 for any number.", CALLERS, metavar="NUMBER")
]


def api(
    debug: Debug = False,
    port: Port = None,
    host: Host = "127.0.0.1",
    tls_cert: Certificate = "",
    tls_key: Key = "",
    client_ca: ClientCa = "",
    plain_http: PlainHttp = False,
    tokens: Tokens = "",
    token_review: TokenReview = False,
    proxy_header: ProxyHeader = "",
    trust_proxy: TrustProxy = None,
    namespaces: Namespaces = "",
    rate: Rate = 0.0,
    backplane: Backplane = "",
    namespace: Namespace = "",
    context: Context = "",
    local: Local = False,
    policies: Policies = None,
) -> None:
    r"""Serve the verbs over HTTP: OpenAPI at /openapi.json, pages at /docs and /apidocs.

    \b
    Examples:
      tycho api --debug
      tycho up --service http://127.0.0.1:5000 -f compose.yaml
      tycho api --host 0.0.0.0 --tokens t.yaml --tls-cert c.pem --tls-key k.pem

    Beyond this machine it wants to know who asks: see docs/security.md.
    """
    trace(debug)
    from tycho.access import AccessOptions
    from tycho.api.listening import Listening

    serve(
        listening=Listening(host, _port() if port is None else port, tls_cert, tls_key, client_ca, plain_http),
        access=AccessOptions(
            tokens=tokens,
            token_review=token_review,
            proxy_header=proxy_header,
            trust_proxy=_split(",".join(trust_proxy or ())),
            mutual_tls=bool(client_ca),
            namespaces=_split(namespaces),
            rate=rate,
        ),
        debug=debug, namespace=namespace, context=context, local=local, backplane=backplane, policies=policies,
    )  # fmt: skip


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
