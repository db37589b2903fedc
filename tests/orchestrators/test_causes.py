"""Why a container does not run: texts as runtimes, registries and schedulers write them, and what a user reads."""

from __future__ import annotations

import pytest

from tycho.kube.causes import explain_placement, explain_pull, explain_start, explain_warning, unwrap

RUNC = (
    "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: "
    "unable to start container process: error during container init: {}: unknown"
)
PULL = 'rpc error: code = {} desc = failed to pull and unpack image "docker.io/library/x:1": {}'
REQUEST = 'failed to resolve image: failed to do request: Head "https://r.example:5000/v2/x/manifests/1": {}'
STATUS = "failed to resolve image: unexpected status from HEAD request to https://r.example/v2/x/manifests/1: {}"
RESOLVE = 'failed to resolve reference "docker.io/library/x:1": {}'


@pytest.mark.parametrize(
    ("cause", "shown"),
    [
        pytest.param('exec: "nosuchprogram": executable file not found in $PATH',
                     'cannot run "nosuchprogram": not found in the image', id="not on the path"),
        pytest.param('exec: "/nosuch": stat /nosuch: no such file or directory',
                     'cannot run "/nosuch": not found in the image', id="no such path"),
        pytest.param('exec: \\"/nosuch\\": stat /nosuch: no such file or directory',
                     'cannot run "/nosuch": not found in the image', id="quoted twice"),
        pytest.param('exec: "/etc/passwd": permission denied', 'cannot run "/etc/passwd": it may not be executed',
                     id="not executable"),
        pytest.param('exec: "/etc": is a directory', 'cannot run "/etc": it is a directory', id="directory"),
        pytest.param("exec /app: exec format error", 'cannot run "/app": made for another processor', id="format"),
        pytest.param("exec /run.sh: no such file or directory", "the interpreter that its first line names",
                     id="interpreter"),
        pytest.param('chdir to cwd ("/nope") set in config.json failed: not a directory',
                     'cannot enter the working directory "/nope": not a directory', id="working directory"),
        pytest.param("mkdir /etc/passwd: not a directory", 'cannot make the directory "/etc/passwd": not a directory',
                     id="working directory that cannot be made"),
        pytest.param('error mounting "/var/lib/kubelet/pods/1/x" to rootfs at "/etc/passwd": mount src=/x, dst=/etc/'
                     "passwd: not a directory", 'cannot mount at "/etc/passwd": a folder would cover', id="folder"),
        pytest.param('error mounting "/x" to rootfs at "/y": create mountpoint for /y mount: read-only file system',
                     'cannot mount at "/y": read-only file system', id="read only"),
        pytest.param("something new", "something new", id="unknown"),
    ],
)  # fmt: skip
def test_explain_start(cause: str, shown: str) -> None:
    """The innermost cause, and of what is not known the text without its wrappers."""
    explained = explain_start(RUNC.format(cause))
    assert explained.startswith(shown) or shown in explained
    assert "containerd" not in explained
    assert "unknown" not in explained


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("unable to find user app: no matching entries in passwd file", 'the user "app" is not in the image'),
        ("failed to generate spec: no users found", "the user that it is to run as is not in the image"),
        ("container has runAsNonRoot and image will run as root (pod: 1)", "the image runs as root"),
        ("container has runAsNonRoot and image has non-numeric user (app), cannot verify user is non-root",
         'the image\'s user "app" is a name'),
        ('secret "keys" not found', "Secret keys does not exist"),
        ('configmap "conf" not found', "ConfigMap conf does not exist"),
        ("couldn't find key k in Secret ns/keys", "Secret keys has no key k"),
    ],
)  # fmt: skip
def test_explain_configuration(text: str, shown: str) -> None:
    assert explain_start(text).startswith(shown)


@pytest.mark.parametrize(
    ("code", "text", "shown"),
    [
        ("NotFound", RESOLVE.format("docker.io/library/x:1: not found"), "not found in its registry"),
        ("Unknown", RESOLVE.format("pull access denied, repository does not exist or may require authorization: server"
                                   " message: insufficient_scope: authorization failed"), "without a login"),
        ("Unknown", RESOLVE.format("failed to authorize: 401 Unauthorized"), "without a login"),
        ("Unknown", RESOLVE.format("dial tcp: lookup r.example on 10.0.0.1:53: no such host"),
         "its registry cannot be reached: no such host"),
        ("Unknown", RESOLVE.format('Head "https://r.example/v2/": dial tcp 10.0.0.9:443: connect: connection refused'),
         "its registry cannot be reached: connection refused"),
        ("Unknown", RESOLVE.format("tls: failed to verify certificate: x509: certificate signed by unknown authority"),
         "certificate is not trusted"),
        ("Unknown", RESOLVE.format("429 Too Many Requests: toomanyrequests"), "no more pulls"),
        ("NotFound", "no match for platform in manifest: not found", "not made for the node's processor"),
        ("DeadlineExceeded", REQUEST.format("net/http: timeout awaiting response headers"),
         "its registry does not answer"),
        ("Unknown", REQUEST.format("http: server gave HTTP response to HTTPS client"), "its registry speaks no TLS"),
        ("Unknown", REQUEST.format("tls: first record does not look like a TLS handshake"),
         "its registry speaks no TLS"),
        ("Unknown", STATUS.format("503 Service Unavailable"), "its registry fails: 503 Service Unavailable"),
        ("Unknown", STATUS.format("403 Forbidden"), "without a login"),
        ("NotFound", "get image config descriptor: unexpected media type text/html for sha256:7e: not found",
         "what answers at its address is no registry"),
        ("Unknown", "something new", ""),
    ],
)  # fmt: skip
def test_explain_pull(code: str, text: str, shown: str) -> None:
    explained = explain_pull(PULL.format(code, text))
    assert shown in explained
    assert bool(explained) is bool(shown)


@pytest.mark.parametrize("layer", [RESOLVE, REQUEST])
def test_what_is_not_known_is_unwrapped(layer: str) -> None:
    assert unwrap(PULL.format("Unknown", layer.format("something new"))) == "something new"


def test_explain_placement() -> None:
    text = (
        "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint(s). preemption: 0/2 nodes are"
        " available: 1 Insufficient cpu."
    )
    assert explain_placement(text) == (
        "not enough cpu, the nodes are reserved or not ready"
        " (0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint(s))"
    )
    assert explain_placement("0/1 nodes are available: something new.") == "0/1 nodes are available: something new"


def test_explain_warning() -> None:
    errored = (
        "Readiness probe errored and resulted in unknown state: rpc error: code = Unknown desc = failed to exec in "
        'container: failed to start exec "1f": OCI runtime exec failed: exec failed: unable to start container '
        'process: exec: "curl": executable file not found in $PATH: unknown'
    )
    assert explain_warning(errored) == 'its health check cannot run "curl": not found in the image'
    assert explain_warning(f"(combined from similar events): {errored}") == explain_warning(errored)
    assert explain_warning("Readiness probe failed: no db\n yet") == "its health check fails: no db yet"
    assert explain_warning("something else") == "something else"
