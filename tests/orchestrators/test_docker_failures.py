"""What Docker Compose says when it fails, as Tycho says it."""

from __future__ import annotations

import pytest

from tycho.orchestrators.docker.failures import explain_failure

REFUSED = "dial tcp 192.0.2.1:443: connect: connection refused"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (f'failed to resolve reference "docker.io/library/x:1": failed to do request: Head "https://a/v2/": {REFUSED}',
         "the image docker.io/library/x:1 cannot be pulled"),
        (f'Error response from daemon: Get "https://registry.example.org/v2/": {REFUSED}',
         "the registry registry.example.org does not answer"),
        ("Cannot connect to the Docker daemon at tcp://192.0.2.1:2375. Is the docker daemon running?",
         "no Docker engine answers"),
        ("dial unix /run/docker.sock: connect: connection refused", "no Docker engine answers"),
        ("no service selected", "docker compose up failed: no service selected"),
    ],
)  # fmt: skip
def test_a_failure_names_its_cause(line: str, message: str) -> None:
    assert explain_failure("up", ["Container web Creating", line]).message == message
