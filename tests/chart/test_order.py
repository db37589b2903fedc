"""What starts when, and again: small inputs that showed faults, with neighbours of each."""

from __future__ import annotations

from typing import Any

import pytest

from tests.chart.cases import PERSISTENT, RUNS_ONCE, held_back, job, read, rows


@pytest.mark.parametrize("condition", ["db: {condition: service_started}", "db: {condition: service_healthy}"])
def test_a_job_waits_for_what_it_needs(bench: Any, condition: str) -> None:
    text = read("started-order")
    if "healthy" in condition:
        text = text.replace("depends_on: [db]", f"depends_on: {{{condition}}}")
    objects = bench.objects(text)
    (migrate,) = [each for each in objects if each["kind"] == "Job"]
    waiting = migrate["spec"]["template"]["spec"]["initContainers"]
    if "healthy" in condition:
        assert [each["name"] for each in waiting] == ["await-db"]
    else:
        (find,) = waiting
        assert "--field-selector=status.phase!=Pending" in find["args"]
        assert [rule["resources"] for rule in objects.find("Role")["rules"]] == [["jobs"], ["pods"]]


def test_nobody_waits_for_a_service_without_pods(bench: Any) -> None:
    text = """
      services:
        db: {image: mariadb:11, scale: "${N:-0}"}
        migrate: {image: x, restart: "no", depends_on: [db]}
    """
    assert not next(each for each in bench.objects(text) if each["kind"] == "Job")["spec"]["template"]["spec"].get(
        "initContainers"
    )


def test_running_service_does_not_wait(bench: Any) -> None:
    text = read("job-after-started")
    objects = bench.objects(text)
    assert "initContainers" not in objects.pod("rel-app")
    reported = rows(bench, text)
    for name in ("db", "worker"):
        assert "start at the same time" in reported[f"services.app.depends_on.{name}"].reason


@pytest.mark.parametrize("condition", ["service_started", "service_healthy", "service_completed_successfully"])
def test_what_is_not_there_holds_nobody(bench: Any, condition: str) -> None:
    text = f"""
      services:
        web: {{image: x, depends_on: {{debugger: {{condition: {condition}, required: false}}}}}}
        debugger: {{image: x, profiles: [debug]}}
    """
    assert "initContainers" not in bench.objects(text).pod("rel-web")
    assert not rows(bench, text)


def test_links_say_nothing_of_order(bench: Any) -> None:
    text = "services: {web: {image: x, links: [db]}, db: {image: x}}"
    assert not [path for path in rows(bench, text) if "depends_on" in path]


def test_containers_of_one_pod_start_in_order(bench: Any) -> None:
    text = read("order-in-one-pod")
    pod = bench.objects(text.replace("    cap_add: [NET_ADMIN]\n", "")).pod("rel-vpn")
    fill, vpn = pod["initContainers"]
    assert fill["name"] == "fill-torrent"  # what prepares its volume comes before all
    assert (vpn["name"], vpn["restartPolicy"]) == ("vpn", "Always")
    assert "startupProbe" not in vpn  # the image's own check is not known
    assert [each["name"] for each in pod["containers"]] == ["torrent"]
    row = rows(bench, text.replace("    cap_add: [NET_ADMIN]\n", ""))["services.torrent.depends_on.vpn"]
    assert "ignores the one of its image" in row.reason


def test_a_healthy_sidecar_lets_the_next_one_start(bench: Any) -> None:
    text = read("order-in-one-pod-health").replace("    cap_add: [NET_ADMIN]\n", "")
    (vpn,) = bench.objects(text).pod("rel-vpn")["initContainers"]
    assert vpn["startupProbe"]["exec"] == vpn["readinessProbe"]["exec"] == {"command": ["vpnctl", "up"]}
    assert vpn["startupProbe"]["failureThreshold"] == 2147483647
    started = text.replace("condition: service_healthy, restart: true", "condition: service_started")
    (vpn,) = bench.objects(started).pod("rel-vpn")["initContainers"]
    assert "startupProbe" not in vpn  # its health is nobody's business
    assert "readinessProbe" in vpn


def test_awaited_work_is_init_container(bench: Any) -> None:
    text = """
      services:
        net: {image: x}
        prepare: {image: p, network_mode: "service:net", healthcheck: {test: a}}
        use:
          image: u
          network_mode: service:net
          depends_on: {prepare: {condition: service_completed_successfully}, net: {condition: service_started}}
    """
    pod = bench.objects(text).pod("rel-net")
    assert [(each["name"], each.get("restartPolicy")) for each in pod["initContainers"]] == [
        ("net", "Always"), ("prepare", None),
    ]  # fmt: skip
    assert "readinessProbe" not in pod["initContainers"][1]
    assert [each["name"] for each in pod["containers"]] == ["use"]


# What is started again.


def test_restart_policies(bench: Any) -> None:
    objects = bench.objects(read("restart-policies"))
    assert job(objects, "a") == job(objects, "c") == PERSISTENT
    assert job(objects, "b") == {"backoffLimit": 5, "restartPolicy": "Never", "ready": None}
    assert job(objects, "d") == RUNS_ONCE
    assert objects.names("Deployment") == {"rel-e", "rel-f"}


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("restart: on-failure:0", PERSISTENT),  # Docker's word for: for ever
        ("deploy: {restart_policy: {condition: on-failure, max_attempts: 2}}",
         {"backoffLimit": 2, "restartPolicy": "Never", "ready": None}),
        ("deploy: {restart_policy: {condition: none}}", RUNS_ONCE),
    ],
)  # fmt: skip
def test_neighbours_of_restart_policies(bench: Any, policy: str, expected: object) -> None:
    assert job(bench.objects(f"services: {{a: {{image: x, {policy}}}}}"), "a") == expected


def test_awaited_seeder_is_a_job(bench: Any) -> None:
    objects = bench.objects(read("seeder-on-failure"))
    assert job(objects, "seed") == PERSISTENT
    assert objects.names("Deployment") == {"rel-app", "rel-db"}


def test_a_seeder_whose_end_is_awaited(bench: Any) -> None:
    text = read("seeder-on-failure").replace(
        "[seed, db]", "{seed: {condition: service_completed_successfully}, db: {condition: service_started}}"
    )
    objects = bench.objects(text)
    assert job(objects, "seed") == {**PERSISTENT, "ready": None}
    assert held_back(objects, "rel-app") == ["find-seed", "await-seed"]


def test_a_server_with_on_failure_serves(bench: Any) -> None:
    text = """
      services:
        app: {image: x, depends_on: [api], environment: {URL: "http://api/v1"}}
        api: {image: x, restart: on-failure}
    """
    assert bench.objects(text).names("Deployment") == {"rel-app", "rel-api"}
    path = text.replace("http://api/v1", "/srv/api/v1")  # a path is no call
    assert job(bench.objects(path), "api") == PERSISTENT


# Health.


def test_the_check_of_an_image_is_not_known(bench: Any) -> None:
    text = read("healthcheck-of-the-image")
    objects = bench.objects(text)
    assert "readinessProbe" not in objects.container("rel-worker")
    reported = rows(bench, text)
    assert "image's healthcheck" in reported["services.worker.healthcheck.interval"].reason
    assert reported["services.gate.depends_on.worker"].outcome == "approximated"
    assert "services.gate.depends_on.api" not in reported
    api = objects.container("rel-api")
    assert (api["startupProbe"]["periodSeconds"], api["readinessProbe"]["periodSeconds"]) == (5, 60)


def test_zero_is_the_default(bench: Any) -> None:
    text = read("zero-durations").replace("    cap_add: [CAP_NET_ADMIN]\n", "")
    objects = bench.objects(text)
    probe = objects.container("rel-a")["readinessProbe"]
    assert (probe["periodSeconds"], probe["timeoutSeconds"], probe["failureThreshold"]) == (30, 30, 3)
    for name in "bcd":
        assert "readinessProbe" not in objects.container(f"rel-{name}")
    assert "services.a.healthcheck.interval" not in rows(bench, text)
