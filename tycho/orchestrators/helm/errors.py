"""What helm and the API server say, in Tycho's terms: one table, the first row that fits."""

from __future__ import annotations

import re

from tycho.errors import (
    Busy,
    ClusterUnreachable,
    Conflict,
    Deadline,
    Forbidden,
    NotFound,
    OrchestratorError,
    Unauthorized,
)

NO_CLUSTER = "`tycho up --local` starts one on this machine, or set KUBECONFIG"

TABLE: tuple[tuple[str, type[OrchestratorError], str, str], ...] = (
    (r"another operation \(.*\) is in progress", Busy, "somebody else is changing this release",
     "wait for it, or try again: an operation whose owner is gone is taken over"),
    (r"release: not found|release \S+ not found", NotFound, "no such release", "`tycho status` lists what runs"),
    (r"has no (?:deployed releases|\d+ version)", NotFound, "there is no good revision to go back to", ""),
    (r"conflicts? with \"(?P<who>[^\"]+)\".*?: (?P<what>\S+)", Conflict,
     "{who} has changed {what} since, and helm will not overwrite it",
     "undo that change, or let {who} keep it by removing the value"),
    (r"cannot re-use a name|already exists", Conflict, "something of this name exists already", "{line}"),
    (r"cannot be imported into the current release", Conflict,
     "an object of this name exists already, and belongs to somebody else", "{line}"),
    (r"(?:forbidden|Forbidden).*?(?:User \"(?P<who>[^\"]+)\")?", Forbidden, "the cluster does not allow it", "{line}"),
    (r"Unauthorized|(?:401|status code 401)|must be logged in", Unauthorized,
     "the cluster does not know you", "log in again: your kubeconfig's credentials are not accepted"),
    (r"values don't meet the specifications", OrchestratorError, "the values do not fit the chart", "{text}"),
    (r"connection refused|no such host|i/o timeout|network is unreachable|cluster unreachable|EOF$|TLS handshake",
     ClusterUnreachable, "no Kubernetes cluster answers", NO_CLUSTER),
    (r"timed out|deadline exceeded|context deadline", Deadline, "the cluster took too long", "{line}"),
    (r"too large|must have at most \d+ bytes", OrchestratorError,
     "the release does not fit into a Secret (1 MiB)", "mount fewer or smaller files, or split the system"),
)  # fmt: skip

SECRET = re.compile(r"(?i)(bearer |token[=:] ?|password[=:] ?)\S+")


def told(text: str, verb: str) -> OrchestratorError:
    """The error that a program's standard error means.

    Args:
        text: All that it said.
        verb: What it was doing, for what fits no row.
    """
    text = SECRET.sub(r"\1***", text).strip()
    lines = [line for line in text.splitlines() if not line.startswith(("level=", "time=", "WARNING"))]
    line = next((one for one in lines if one.startswith("Error")), lines[-1] if lines else f"helm {verb} failed")
    line = line.removeprefix("Error: ")
    for pattern, kind, message, hint in TABLE:
        if found := re.search(pattern, text, re.DOTALL):
            words = {"line": line, "text": "\n".join(lines).removeprefix("Error: ")}
            words |= {key: value or "somebody" for key, value in found.groupdict().items()}
            return kind(_filled(message, words), hint=_filled(hint, words))
    return OrchestratorError(f"helm {verb}: {line}", hint="\n".join(one for one in lines if line not in one)[:2000])


def _filled(text: str, words: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda match: words.get(match[1], match[0]), text)
