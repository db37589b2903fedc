"""What helm and the API server say, in Tycho's terms: one table each, the first row that fits."""

from __future__ import annotations

import re

from tycho.errors import (
    ClusterUnreachable,
    Conflict,
    CredentialsRejected,
    Forbidden,
    NotFound,
    OperationInProgress,
    OrchestratorError,
    WaitTimeout,
)
from tycho.text import safe_message

NO_CLUSTER = "`tycho up --local` starts one on this machine, or set KUBECONFIG"
Row = tuple[str, type[OrchestratorError], str, str]

UNREACHABLE = (
    r"connection refused|no such host|i/o timeout|network is unreachable|cluster unreachable|TLS handshake|\bEOF\b"
    r"|connection reset by peer|client connection lost"
)
CLUSTER: tuple[Row, ...] = (
    (r"another operation \(.*\) is in progress", OperationInProgress, "somebody else is changing this release",
     "wait for it, or try again: an operation whose owner is gone is taken over"),
    (r"release: not found|release \S+ not found", NotFound, "no such release", "`tycho status` lists what runs"),
    (r"has no (?:deployed releases|\d+ version)", NotFound, "there is no good revision to go back to", ""),
    (r"namespaces \"(?P<what>[^\"]+)\" not found", NotFound, 'there is no namespace "{what}"',
     "run kubectl create namespace {what}"),
    (r"conflicts? with \"(?P<who>[^\"]+)\".*?: (?P<what>\S+)", Conflict,
     "{who} has changed {what} since, and helm will not overwrite it",
     "--force-conflicts takes it back (over HTTP `forceConflicts`), `tycho status --drift` shows all such fields"),
    (r"cannot be imported into the current release", Conflict,
     "an object of this name exists already, and belongs to somebody else", "{line}"),
    (r"cannot re-?use a name|already exists", Conflict, "something of this name exists already", "{line}"),
    (r"Invalid value: (?P<port>\d+): provided port is already allocated", Conflict,
     "port {port} is taken on this cluster by another Service",
     "publish another port, or one that is not in 30000-32767: the cluster chooses one then"),
    (r"Invalid value: (?P<port>\d+): provided port is not in the valid range\. (?P<why>[^\n]+)", OrchestratorError,
     "the nodes of this cluster have no port {port} for Services: {why}",
     "publish a port that is not in 30000-32767: the cluster chooses one then"),
    (r"(?P<what>\S+ \"[^\"]+\") is invalid: (?P<why>[^\n]+)", OrchestratorError, "{what} is not valid: {why}", ""),
    (r"exceeded quota: (?P<why>[^\n]+)", Forbidden, "the quota of the namespace is exhausted: {why}", ""),
    (r"violates PodSecurity \"(?P<what>[^\"]+)\": (?P<why>[^\n]+)", Forbidden,
     "the namespace admits only pods of the level {what}: {why}", ""),
    (r"(?i:is forbidden|\(forbidden\))", Forbidden, "the cluster does not allow it", "{line}"),
    (r"Unauthorized|status code 401|must be logged in", CredentialsRejected,
     "the cluster does not know you", "log in again: your kubeconfig's credentials are not accepted"),
    (r"values don't meet the specifications", OrchestratorError, "the values do not fit the chart", "{text}"),
    (r"execution error at \([^)]*\): (?P<why>.+)", OrchestratorError, "{why}", ""),
    (UNREACHABLE, ClusterUnreachable, "no Kubernetes cluster answers", NO_CLUSTER),
    (r"timed out|deadline exceeded|context deadline", WaitTimeout, "the cluster took too long", "{line}"),
    (r"too large|must have at most \d+ bytes", OrchestratorError,
     "the release does not fit into a Secret (1 MiB)", "mount fewer or smaller files, or split the system"),
)  # fmt: skip

REGISTRY: tuple[Row, ...] = (
    (r"server gave HTTP response to HTTPS client", OrchestratorError, "the registry speaks no TLS",
     "--plain-http allows that"),
    (r"(?i:unauthorized|authentication required|basic credential not found|\b401\b)", CredentialsRejected,
     "the registry does not know you", "run helm registry login HOST, or docker login HOST"),
    (r"(?i:\bdenied\b|forbidden|\b403\b)", Forbidden, "the registry does not allow it", "{line}"),
    (r"(?i:not found|name unknown|manifest unknown|\b404\b)", NotFound, "the registry has no such chart", "{line}"),
    (r"x509|certificate", OrchestratorError, "the registry's certificate is not trusted", "{line}"),
    (r"connection refused|no such host|i/o timeout|network is unreachable|TLS handshake|EOF$", OrchestratorError,
     "no registry answers there", "{line}"),
)  # fmt: skip

SECRET = re.compile(r"(?i)(bearer |token[=:] ?|password[=:] ?)\S+")


def parse_helm_error(text: str, verb: str) -> OrchestratorError:
    """The error that a program's standard error means.

    Args:
        text: All that it said.
        verb: What it was doing: `push` and `pull` speak with a registry, all others with a cluster.
    """
    text = safe_message(SECRET.sub(r"\1***", text)).strip()
    lines = [line for line in text.splitlines() if not line.startswith(("level=", "time=", "WARNING"))]
    line = next(
        (candidate for candidate in lines if candidate.startswith("Error")),
        lines[-1] if lines else f"helm {verb} failed",
    )
    line, text = line.removeprefix("Error: "), "\n".join(lines).removeprefix("Error: ")
    for pattern, kind, message, hint in REGISTRY if verb in ("push", "pull") else CLUSTER:
        if match := re.search(pattern, text):
            words = {"line": line, "text": text, **match.groupdict()}
            return kind(_filled(message, words), hint=_filled(hint, words))
    return OrchestratorError(
        f"helm {verb}: {line}", hint="\n".join(other for other in lines if line not in other)[:2000]
    )


def _filled(text: str, words: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda match: words.get(match[1], match[0]), text)
