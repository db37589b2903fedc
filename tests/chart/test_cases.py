"""Small inputs that showed faults (`tests/cases`), with neighbours of each: what starts when, and who reaches whom."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tycho.chart import Row

CASES = Path(__file__).parents[1] / "cases"
ONE_SHOT = {"backoffLimit": 6, "restartPolicy": "Never", "ready": None}
PERSISTENT = {"backoffLimit": 2147483647, "restartPolicy": "OnFailure", "ready": "running"}


def read(case: str) -> str:
    return (CASES / case / "compose.yaml").read_text(encoding="utf-8")


def files(case: str) -> dict[str, str]:
    folder = CASES / case
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.is_file() and path.name != "compose.yaml"
    }


def rows(bench: Any, text: str, **files: Any) -> dict[str, Row]:
    """The report's rows that tell of a difference, by path."""
    return {row.path: row for row in bench.chart(text, **files).report if row.fate != "translated"}


def held_back(objects: Any, name: str, kind: str = "Deployment") -> list[str]:
    """What the init containers of a workload wait for."""
    return [each["name"] for each in objects.pod(name, kind).get("initContainers", ())]


def job(objects: Any, service: str) -> dict[str, Any]:
    (found,) = [
        each
        for each in objects
        if each["kind"] == "Job" and each["metadata"]["annotations"]["tycho.dev/service"] == service
    ]
    template = found["spec"]["template"]["spec"]
    return {
        "backoffLimit": found["spec"]["backoffLimit"],
        "restartPolicy": template["restartPolicy"],
        "ready": found["metadata"]["annotations"].get("tycho.dev/ready-when"),
    }


def service(objects: Any, name: str) -> dict[str, Any]:
    spec: dict[str, Any] = objects.one("Service", name)["spec"]
    return spec


def ports(objects: Any, name: str) -> list[int]:
    return [port["port"] for port in service(objects, name).get("ports", ())]


# What starts when.


@pytest.mark.parametrize("condition", ["db: {condition: service_started}", "db: {condition: service_healthy}"])
def test_a_job_waits_for_what_it_needs(bench: Any, condition: str) -> None:
    text = read("started-order")
    if "healthy" in condition:
        text = text.replace("depends_on: [db]", f"depends_on: {{{condition}}}")
    objects = bench.objects(text)
    (migrate,) = [each for each in objects if each["kind"] == "Job"]
    waiting = migrate["spec"]["template"]["spec"]["initContainers"]
    if "healthy" in condition:
        assert [each["name"] for each in waiting] == ["find-db", "await-db"]
    else:
        (find,) = waiting
        assert "--field-selector=status.phase!=Pending" in find["args"]
        assert [rule["resources"] for rule in objects.one("Role")["rules"]] == [["jobs"], ["pods"]]


def test_nobody_waits_for_a_service_without_pods(bench: Any) -> None:
    text = """
      services:
        db: {image: mariadb:11, scale: "${N:-0}"}
        migrate: {image: x, restart: "no", depends_on: [db]}
    """
    assert not next(each for each in bench.objects(text) if each["kind"] == "Job")["spec"]["template"]["spec"].get(
        "initContainers"
    )


def test_what_runs_on_does_not_wait_and_says_so(bench: Any) -> None:
    text = read("job-after-started")
    objects = bench.objects(text)
    assert "initContainers" not in objects.pod("rel-app")
    found = rows(bench, text)
    for name in ("db", "worker"):
        assert "start at the same time" in found[f"services.app.depends_on.{name}"].reason


def test_links_say_nothing_of_order(bench: Any) -> None:
    text = "services: {web: {image: x, links: [db]}, db: {image: x}}"
    assert not [path for path in rows(bench, text) if "depends_on" in path]


def test_containers_of_one_pod_start_in_order(bench: Any) -> None:
    text = read("order-in-one-pod")
    pod = bench.objects(text.replace("    cap_add: [NET_ADMIN]\n", "")).pod("rel-vpn")
    (vpn,) = pod["initContainers"]
    assert (vpn["name"], vpn["restartPolicy"]) == ("vpn", "Always")
    assert "startupProbe" not in vpn  # the image's own check is not known
    assert [each["name"] for each in pod["containers"]] == ["torrent"]
    row = rows(bench, text.replace("    cap_add: [NET_ADMIN]\n", ""))["services.torrent.depends_on.vpn"]
    assert "does not know that of its image" in row.reason


def test_a_healthy_sidecar_lets_the_next_one_start(bench: Any) -> None:
    text = read("order-in-one-pod-health").replace("    cap_add: [NET_ADMIN]\n", "")
    (vpn,) = bench.objects(text).pod("rel-vpn")["initContainers"]
    assert vpn["startupProbe"]["exec"] == vpn["readinessProbe"]["exec"] == {"command": ["vpnctl", "up"]}
    assert vpn["startupProbe"]["failureThreshold"] == 2147483647
    started = text.replace("condition: service_healthy, restart: true", "condition: service_started")
    (vpn,) = bench.objects(started).pod("rel-vpn")["initContainers"]
    assert "startupProbe" not in vpn  # its health is nobody's business
    assert "readinessProbe" in vpn


def test_work_that_others_of_the_pod_wait_for_is_an_init_container(bench: Any) -> None:
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
    assert job(objects, "d") == ONE_SHOT
    assert objects.names("Deployment") == {"rel-e", "rel-f"}


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("restart: on-failure:0", PERSISTENT),  # Docker's word for: for ever
        ("deploy: {restart_policy: {condition: on-failure, max_attempts: 2}}",
         {"backoffLimit": 2, "restartPolicy": "Never", "ready": None}),
        ("deploy: {restart_policy: {condition: none}}", ONE_SHOT),
    ],
)  # fmt: skip
def test_neighbours_of_restart_policies(bench: Any, policy: str, expected: object) -> None:
    assert job(bench.objects(f"services: {{a: {{image: x, {policy}}}}}"), "a") == expected


def test_a_seeder_that_others_start_after_is_a_job(bench: Any) -> None:
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
    found = rows(bench, text)
    assert "image's own check" in found["services.worker.healthcheck.interval"].reason
    assert found["services.gate.depends_on.worker"].fate == "approximated"
    assert "services.gate.depends_on.api" not in found
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


# Who reaches whom.


def test_peers_reach_ports_that_are_not_published(bench: Any) -> None:
    text, given = read("peer-ports-not-published"), files("peer-ports-not-published")
    objects = bench.objects(text, files=given)
    assert ports(objects, "cache") == [6379, 8001]
    assert {5672, 15672} <= set(ports(objects, "queue"))
    assert ports(objects, "store") == [9000, 9001]
    assert service(objects, "app")["clusterIP"] == "None"
    targets = {row.path: row.target for row in bench.chart(text, files=given).report}
    assert targets["services.cache.expose"] == "peers can call it at 6379, 8001"


@pytest.mark.parametrize(
    ("keys", "known"),
    [
        ("image: 'registry.example.org:5000/team/redis:${TAG:-7}'", [6379]),
        ("image: 'postgres@sha256:0000'", [5432]),
        ("image: redis-tools", []),
        ("image: redis:7, x-tycho: {headless: true}", []),
        ("image: x, expose: ['81']", [81]),
    ],
)
def test_ports_that_are_known_of_an_image(bench: Any, keys: str, known: list[int]) -> None:
    spec = service(bench.objects(f"services: {{cache: {{{keys}}}}}"), "cache")
    assert [port["port"] for port in spec.get("ports", ())] == known or spec["clusterIP"] == "None"
    assert (spec.get("clusterIP") == "None") == (not known)


def test_peers_find_each_other_before_they_are_healthy(bench: Any) -> None:
    text = read("quorum-health")
    objects = bench.objects(text, files=files("quorum-health"))
    for name in ("n1", "n2", "n3", "k1", "k2", "vault"):
        assert service(objects, name)["publishNotReadyAddresses"] is True, name


@pytest.mark.parametrize("peers", ["n[1-3]", "n{1...3}", "n{1..3}:9000/data", "http://n[01-03].example"])
def test_a_pattern_names_peers(bench: Any, peers: str) -> None:
    check = "healthcheck: {test: [CMD, ctl]}, expose: ['9000']"
    names = ["n01", "n02"] if "01" in peers else ["n1", "n2"]
    nodes = ", ".join(f"{name}: {{image: x, {check}, command: ['{peers}']}}" for name in names)
    objects = bench.objects(f"services: {{{nodes}}}")
    assert [service(objects, name).get("publishNotReadyAddresses", False) for name in names] == [
        ".example" not in peers
    ] * 2


def test_a_job_reaches_what_it_makes_healthy(bench: Any) -> None:
    text = read("quorum-health")
    healthy = text.replace("depends_on: [vault]", "depends_on: {vault: {condition: service_healthy}}")
    found = service(bench.objects(healthy, files=files("quorum-health")), "vault")
    assert "publishNotReadyAddresses" not in found  # it is called once it is healthy


def test_every_user_may_open_every_port(bench: Any) -> None:
    parameter = {"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}
    objects = bench.objects(read("low-port-nonroot"))
    assert objects.pod("rel-web")["securityContext"]["sysctls"] == [parameter]
    own = "services: {web: {image: x, sysctls: {net.ipv4.ip_unprivileged_port_start: 1024}}}"
    assert bench.objects(own).pod("rel-web")["securityContext"]["sysctls"] == [{**parameter, "value": "1024"}]
    off = bench.objects(own.replace(", sysctls: {net.ipv4.ip_unprivileged_port_start: 1024}", ""), "--set-json",
                        "common.sysctls=null")  # fmt: skip
    assert "sysctls" not in off.pod("rel-web")["securityContext"]


# What was refused, and need not be.


def test_root_is_a_number(bench: Any) -> None:
    objects = bench.objects(read("user-root"))
    assert objects.container("rel-ci")["securityContext"]["runAsUser"] == 0
    both = "services: {web: {image: x, user: 'root:root', group_add: [root, '7']}}"
    objects = bench.objects(both)
    security = objects.container("rel-web")["securityContext"]
    assert (security["runAsUser"], security["runAsGroup"]) == (0, 0)
    assert objects.pod("rel-web")["securityContext"]["supplementalGroups"] == [0, 7]


def test_a_host_gateway_is_left_out(bench: Any) -> None:
    text = read("host-gateway")
    assert bench.objects(text).pod("rel-app")["hostAliases"] == [{"ip": "10.0.0.5", "hostnames": ["db.internal"]}]
    assert rows(bench, text)["services.app.extra_hosts.host.docker.internal"].fate == "ignored"


@pytest.mark.parametrize(
    ("extra", "arguments"),
    [("", ["serve"]), ("-v --port 80", ["serve", "-v", "--port", "80"]), ("'a b'  \"c\"", ["serve", "a b", "c"])],
)
def test_optional_arguments(bench: Any, extra: str, arguments: list[str]) -> None:
    text = read("optional-arguments")
    assert bench.objects(text, EXTRA_ARGS=extra).container("rel-a")["args"] == arguments
    compiled_without = bench.chart(text)
    set_later = bench.render(compiled_without, {"env": {"EXTRA_ARGS": extra}})
    assert set_later.container("rel-a")["args"] == arguments


def test_a_whole_command_as_a_default(bench: Any) -> None:
    text = read("optional-arguments-default")
    assert bench.objects(text).container("rel-a")["args"] == ["run", "web", "--port", "80"]
    assert bench.objects(text, CMD="sh -c 'echo $$(date)'").container("rel-a")["args"] == [
        "sh", "-c", "echo $$$$(date)",
    ]  # fmt: skip


def test_an_empty_search_domain(bench: Any) -> None:
    text = read("empty-dns-search")
    assert bench.objects(text).pod("rel-c")["dnsConfig"]["searches"] == ["corp.example.org"]
    found = rows(bench, text)
    assert found["services.a.dns_search[0]"].reason == "it is empty"


# Names.


def test_a_name_that_is_too_long(bench: Any) -> None:
    text = read("long-name")
    (row,) = [row for path, row in rows(bench, text).items() if path.startswith("services.a-service")]
    assert row.reason == "it has 75 characters, and a DNS label at most 63"
    assert row.remedy.endswith("compose.yaml:7")
    assert not bench.lint([bench.chart(text)])


def test_a_name_that_is_no_dns_label_and_who_uses_it(bench: Any) -> None:
    row = rows(bench, read("dotted-host-name"))["services.DB.container_name"]
    assert (row.fate, row.reason) == ("ignored", '"My_Prod.DB": a DNS label has no . _')
    assert row.remedy.startswith("call it db; it is said at ")
    assert row.remedy.endswith("compose.yaml:9")


@pytest.mark.parametrize(
    ("keys", "path", "reason"),
    [
        ("links: ['db:da_ta']", "links[0]", '"da_ta": a DNS label has no _'),
        ("networks: {default: {aliases: [-a]}}", "networks.default.aliases",
         '"-a": a DNS label begins and ends with a letter or a digit'),
        (f"hostname: {'h' * 64}", "hostname", f'"{"h" * 64}": it has 64 characters, and a DNS label at most 63'),
    ],
)  # fmt: skip
def test_further_names_that_are_none(bench: Any, keys: str, path: str, reason: str) -> None:
    text = f"services: {{web: {{image: x, {keys}}}, db: {{image: x}}}}"
    assert rows(bench, text)[f"services.web.{path}"].reason == reason


def test_the_case_of_a_name_does_not_matter(bench: Any) -> None:
    text = "services: {web: {image: x, container_name: MyWeb, networks: {default: {aliases: [API]}}}}"
    objects = bench.objects(text)
    assert {"myweb", "api"} <= objects.names("Service")
    assert not {path for path in rows(bench, text) if "alias" in path}
