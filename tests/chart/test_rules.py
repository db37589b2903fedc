"""What a real cluster taught, where no other test says it: what is refused in time, and names that it takes."""

from __future__ import annotations

from typing import Any

import pytest

from tycho.errors import ComposeError

SHARED = "volumes: {data: {}}\n"
REFUSED = {
    "a volume of one node, on every node": (
        "web: {image: x, volumes: ['data:/d'], deploy: {mode: global}}",
        "services.web.volumes[0]", "pods on several nodes cannot share a volume",
    ),
    "a volume of one node, one pod a node": (
        "web: {image: x, volumes: ['data:/d'], deploy: {replicas: 2, placement: {max_replicas_per_node: 1}}}",
        "services.web.volumes[0]", "pods on several nodes cannot share a volume",
    ),
    "waiting without a network": (
        """db: {image: x, healthcheck: {test: a}}
  web: {image: x, network_mode: none, depends_on: {db: {condition: service_healthy}}}""",
        "services.web.depends_on.db", "cannot wait for others",
    ),
    "waiting for the end of what never ends": (
        """db: {image: x, x-tycho: {kind: Deployment}}
  web: {image: x, depends_on: {db: {condition: service_completed_successfully}}}""",
        "services.web.depends_on.db", "never completes",
    ),
    "waiting for the health of what ends": (
        """job: {image: x, x-tycho: {kind: Job}, healthcheck: {test: a}}
  web: {image: x, depends_on: {job: {condition: service_healthy}}}""",
        "services.web.depends_on.job", "never becomes healthy",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_impossible_dependencies_are_refused(bench: Any, what: str) -> None:
    services, path, message = REFUSED[what]
    with pytest.raises(ComposeError) as caught:
        bench.chart(f"services:\n  {services}\n{SHARED}")
    (problem,) = caught.value.problems
    assert problem.path == path
    assert message in problem.message
    assert problem.hint


def test_read_write_many_allows_daemonset(bench: Any) -> None:
    text = "services: {web: {image: x, volumes: ['data:/d'], deploy: {mode: global}}}\n"
    for volume in ("{x-tycho: {accessModes: [ReadWriteMany]}}", "{external: true}"):
        assert bench.objects(f"{text}volumes: {{data: {volume}}}\n").names("DaemonSet") == {"rel-web"}


def test_a_stateful_set_names_its_pods_itself(bench: Any) -> None:
    chart = bench.chart("services: {web: {image: x, x-tycho: {kind: StatefulSet}}}")
    done = bench.run(chart, {"dns": {"scope": "release"}})
    assert done.returncode != 0
    assert "services.web: a StatefulSet names its pods itself" in done.stderr


def test_names_of_what_makes_further_names_are_shorter(bench: Any) -> None:
    """A CronJob's Jobs, and a StatefulSet's pods, have longer names than it."""
    long = "a" * 50
    for extension in ("kind: StatefulSet", 'schedule: "0 3 * * *"'):
        objects = bench.objects(f"services: {{{long}: {{image: x, x-tycho: {{{extension}}}}}}}")
        (name,) = objects.names("StatefulSet") | objects.names("CronJob")
        assert len(name) == 52


def test_name_with_leading_digit_is_reported(bench: Any) -> None:
    rows = {row.path: row for row in bench.chart("services: {1web: {image: x}}").report}
    assert rows["services.1web"].outcome == "approximated"
    assert "1.36" in rows["services.1web"].reason


def test_finished_job_is_kept(bench: Any) -> None:
    """A Job that vanished would be run again by the next upgrade."""
    job = bench.objects("services: {m: {image: x, restart: 'no'}}").find("Job")
    assert "ttlSecondsAfterFinished" not in job["spec"]
    assert job["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
