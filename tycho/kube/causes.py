"""Plain words for why a container does not run: the innermost cause of what runtimes, registries and schedulers write.

Pure functions over texts; the first row that fits wins.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

QUOTED = r'\\?"(?P<what>[^"\\]+)\\?"'
START: tuple[tuple[str, str], ...] = (
    (rf"exec: {QUOTED}: (?:executable file not found|(?:stat .*?: )?no such file or directory)",
     'cannot run "{what}": not found in the image'),
    (rf"exec: {QUOTED}: (?:stat .*?: )?permission denied", 'cannot run "{what}": it may not be executed'),
    (rf"exec: {QUOTED}: is a directory", 'cannot run "{what}": it is a directory'),
    (rf"exec: {QUOTED}: exec format error|exec (?P<path>/\S+): exec format error",
     'cannot run "{what}": made for another processor, or a script without a first line that names its interpreter'),
    (r"exec (?P<what>/\S+): no such file or directory",
     'cannot run "{what}": the interpreter that its first line names is not in the image'),
    (r"exec (?P<what>/\S+): permission denied", 'cannot run "{what}": it may not be executed'),
    (r"chdir to cwd \(\\?\"(?P<what>[^\"\\]+)\\?\"\) set in config\.json failed: (?P<why>[^:]+)",
     'cannot enter the working directory "{what}": {why}'),
    (r"error mounting .*? to rootfs at \\?\"(?P<what>[^\"\\]+)\\?\".*?(?:not|is) a directory",
     'cannot mount at "{what}": a folder would cover a file there, or a file a folder'),
    (r"error mounting .*? to rootfs at \\?\"(?P<what>[^\"\\]+)\\?\".*?(?P<why>[^:\s][^:]*?)(?:: unknown)?$",
     'cannot mount at "{what}": {why}'),
    (r"mkdir (?P<what>/[^:]+): (?P<why>[^:]+)", 'cannot make the directory "{what}": {why}'),
    (r"(?:unable to find user|no user named) \\?\"?(?P<what>[^:\"\\\s]+)", 'the user "{what}" is not in the image'),
    (r"(?:unable to find group|no group named) \\?\"?(?P<what>[^:\"\\\s]+)", 'the group "{what}" is not in the image'),
    (r"no users found", "the user that it is to run as is not in the image"),
    (r"runAsNonRoot and image will run as root", "the image runs as root, which is not allowed here: give it a user"),
    (r"runAsNonRoot and image has non-numeric user \(?(?P<what>[^),]*)\)?",
     'the image\'s user "{what}" is a name, and only a number shows that it is not root: give it a user'),
    (r"(?P<what>secret|configmap) \"(?P<name>[^\"]+)\" not found", "{kind} {name} does not exist"),
    (r"couldn't find key (?P<key>\S+) in (?P<what>Secret|ConfigMap) (?:\S+/)?(?P<name>[^\s:]+)",
     "{kind} {name} has no key {key}"),
    (r"no space left on device", "no space left on the node"),
)  # fmt: skip
"""What keeps a container from being made or started."""

REGISTRY: tuple[tuple[str, str], ...] = (
    (r"(?P<why>no such host|connection refused|connection reset|i/o timeout|network is unreachable|no route to host)",
     "its registry cannot be reached: {why}"),
    (r"(?P<why>server misbehaving|TLS handshake timeout|context deadline exceeded|\bEOF\b)",
     "its registry cannot be reached: {why}"),
    (r"timeout awaiting response headers|context canceled", "its registry does not answer"),
    (r"HTTP response to HTTPS client|not look like a TLS handshake", "its registry speaks no TLS"),
    (r"unexpected status from \w+ request to \S+: (?P<why>5\d\d [\w ]+)", "its registry fails: {why}"),
    (r"unexpected media type text/", "what answers at its address is no registry"),
    (r"x509: (?P<why>.*)", "its registry's certificate is not trusted: {why}"),
    (r"(?i)toomanyrequests|too many requests|\b429\b", "its registry allows no more pulls for now"),
    (r"no match for platform|no matching manifest for", "it is not made for the node's processor"),
    (r"(?i)denied|unauthorized|insufficient_scope|no basic auth|\b40[13]\b",
     "its registry shows it to nobody without a login that may pull it, or it does not exist"),
    (r"(?i)not ?found|manifest unknown|name unknown|\b404\b", "not found in its registry"),
    (r"(?i)invalid reference|InvalidImageName", "this is not the name of an image"),
    (r"no space left on device", "no space left on the node"),
)  # fmt: skip
"""What keeps an image from being pulled."""

PLACEMENT: tuple[tuple[str, str], ...] = (
    (r"Insufficient (?P<what>[\w./-]+)", "not enough {what}"),
    (r"Too many pods", "every node is full"),
    (r"unbound immediate PersistentVolumeClaims|didn't find available persistent volumes to bind",
     "its volume does not exist yet"),
    (r"persistentvolumeclaim \"(?P<what>[^\"]+)\" not found", "its volume {what} does not exist"),
    (r"volume node affinity conflict", "its volume is on another node"),
    (r"didn't match Pod's node affinity/selector", "no node has the labels that its placement asks for"),
    (r"didn't match pod (?:anti-)?affinity", "it cannot be beside the pods that it shares a volume or node with"),
    (r"didn't have free ports", "a port of the node that it asks for is taken"),
    (r"untolerated taint", "the nodes are reserved or not ready"),
    (r"were unschedulable", "the nodes take no pods for now"),
)  # fmt: skip
"""What keeps the scheduler from placing a pod."""

WRAPPERS = re.compile(
    r"failed to (?:create|start) (?:containerd |shim )?(?:task|container|exec)(?: \S+)?: "
    r"|failed to exec in container: "
    r"|OCI runtime (?:create|exec) failed: |runc create failed: |exec failed: |unable to start container process: "
    r"|error during container init: |rpc error: |code = \w+ desc = "
    r"|failed to (?:pull and unpack|resolve) (?:image|reference)(?: \S+)?: |failed to do request: \w+ \S+: "
    r"|Back-off pulling image \S+: |ErrImagePull: "
)
COMBINED = "(combined from similar events): "
PROBE = re.compile(r"(?:Readiness|Startup|Liveness) probe (?:failed|errored)[^:]*: (.+)")
UNKNOWN = re.compile(r"(?:: unknown)+$")


def explain_start(message: str) -> str:
    """Say what a container cannot be made or started for: the known cause, else the text without its wrappers."""
    return _explain(message, START) or unwrap(message)


def explain_pull(message: str) -> str:
    """Say what an image cannot be pulled for; "" where no row fits."""
    return _explain(message, REGISTRY)


def explain_placement(message: str) -> str:
    """Say what no node takes a pod for, the scheduler's own words behind it."""
    # What preemption could have done comes after, and repeats it.
    text = join_lines(message).partition(" preemption: ")[0].rstrip(".")
    causes = [_fill(meaning, match) for pattern, meaning in PLACEMENT for match in re.finditer(pattern, text)]
    return f"{', '.join(dict.fromkeys(causes))} ({text})" if causes else text


def explain_warning(message: str) -> str:
    """Say what the cluster warns of."""
    message = join_lines(message).removeprefix(COMBINED)
    if match := PROBE.match(message):
        cause = cannot_run(match[1])
        return f"its health check {cause}" if cause else f"its health check fails: {unwrap(match[1])}"
    return explain_start(message)


def cannot_run(message: str) -> str:
    """Say which program an image cannot run; "" where a text says nothing of that."""
    cause = _explain(message, START)
    return cause if cause.startswith("cannot run ") else ""


def unwrap(message: str) -> str:
    """Take off a text what every layer that it came through has put before it."""
    return UNKNOWN.sub("", WRAPPERS.sub("", join_lines(message)))


def join_lines(text: str) -> str:
    """Write a text in one line."""
    return " ".join(text.split())


def _explain(message: str, rows: tuple[tuple[str, str], ...]) -> str:
    text = join_lines(message)
    for pattern, meaning in rows:
        if match := re.search(pattern, text):
            return _fill(meaning, match)
    return ""


def _fill(meaning: str, match: re.Match[str]) -> str:
    words: Mapping[str, str | None] = match.groupdict()
    what = words.get("what") or words.get("path") or ""
    kinds = {"secret": "Secret", "configmap": "ConfigMap"}
    named = {key: value or "" for key, value in words.items()} | {"what": what, "kind": kinds.get(what.lower(), what)}
    return meaning.format_map(named)
