"""`tycho api`: the verbs as a REST service."""

from __future__ import annotations

from typing import Annotated

import typer

from tycho.cli.options import Backplane, Context, Local, Namespace, Policies
from tycho.cli.session import serve, trace

Debug = Annotated[bool, typer.Option("--debug", help="Log each request, and what is done for it.")]
Port = Annotated[int, typer.Option("-p", "--port", metavar="PORT", help="TCP port.")]
Host = Annotated[str, typer.Option("--host", metavar="ADDRESS", help="Loopback address to listen on.")]


def api(
    debug: Debug = False,
    port: Port = 5000,
    host: Host = "127.0.0.1",
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
    """
    trace(debug)
    serve(
        host=host, port=port, debug=debug, namespace=namespace, context=context, local=local, backplane=backplane,
        policies=policies,
    )  # fmt: skip
