"""How Kubernetes is told whether a container is ready."""

from __future__ import annotations

from typing import Any

from tycho.chart import emit


def test_probes(bench: Any) -> None:
    def container(check: str) -> Any:
        return bench.objects(f"services: {{web: {{image: x, healthcheck: {{{check}}}}}}}").container("rel-web")

    rendered = container("test: [CMD, a, b], interval: 1500ms, timeout: 2s, retries: 5")
    assert rendered["readinessProbe"] == {
        "exec": {"command": ["a", "b"]}, "periodSeconds": 2, "timeoutSeconds": 2, "failureThreshold": 5
    }  # fmt: skip
    assert "livenessProbe" not in rendered
    assert "startupProbe" not in rendered
    assert container("test: a && b")["readinessProbe"]["exec"]["command"] == ["/bin/sh", "-c", "a && b"]
    first = container("test: a, start_period: 1m, start_interval: 1s")["startupProbe"]
    assert (first["failureThreshold"], first["periodSeconds"]) == (2147483647, 1)
    assert "startupProbe" not in container("test: a, start_interval: 1s")  # without a start period it means nothing
    assert container("test: a, start_period: 1s")["startupProbe"]["periodSeconds"] == 5
    assert "startupProbe" not in container("test: a, start_period: 1s, interval: 4s")  # that is more often
    assert container("test: a, interval: 0s, timeout: 0s, retries: 0")["readinessProbe"] == {
        "exec": {"command": ["/bin/sh", "-c", "a"]}, "periodSeconds": 30, "timeoutSeconds": 30, "failureThreshold": 3
    }  # fmt: skip
    assert "readinessProbe" not in container("test: [NONE]")
    assert "readinessProbe" not in container("disable: true")


def test_a_probe_in_kubernetes_words(bench: Any) -> None:
    text = """
      services:
        web:
          image: x
          healthcheck: {test: a, start_interval: 1s}
          x-tycho: {readinessProbe: {httpGet: {path: "/r?a={{ b }}$$", port: 81}, periodSeconds: 3}}
    """
    rendered = bench.objects(text).container("rel-web")
    assert rendered["readinessProbe"] == {"httpGet": {"path": "/r?a={{ b }}$", "port": 81}, "periodSeconds": 3}
    assert "startupProbe" not in rendered
    report = emit(bench.policy_result(text)).report
    rows = {row.path: row.target for row in report if row.path.startswith("services.web.")}
    assert rows["services.web.x-tycho.readinessProbe"] == "readinessProbe"
    for key in ("test", "start_interval"):
        assert rows[f"services.web.healthcheck.{key}"] == "nothing: x-tycho.readinessProbe replaces it"
