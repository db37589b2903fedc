"""Which kind a service becomes, how it is replaced, and what it waits for."""

from __future__ import annotations

from typing import Any

import pytest

KINDS = {
    "image: x": "Deployment",
    "image: x, deploy: {mode: global}": "DaemonSet",
    "image: x, deploy: {mode: replicated-job}": "Job",
    'image: x, restart: "no"': "Job",
    "image: x, restart: on-failure": "Job",
    "image: x, deploy: {restart_policy: {condition: none}}": "Job",
    'image: x, restart: "no", ports: ["80"]': "Deployment",
    'image: x, restart: "no", expose: ["80"]': "Deployment",
    'image: x, restart: "no", healthcheck: {test: a}': "Deployment",
    "image: x, restart: always": "Deployment",
    "image: x, x-tycho: {kind: StatefulSet}": "StatefulSet",
    'image: x, x-tycho: {schedule: "0 3 * * *"}': "CronJob",
}


@pytest.mark.parametrize("service", KINDS)
def test_kinds(bench: Any, service: str) -> None:
    objects = bench.objects(f"services: {{web: {{{service}}}}}")
    workloads = [rendered["kind"] for rendered in objects if rendered["kind"] in set(KINDS.values())]
    assert workloads == [KINDS[service]]


WAITING = """
services:
  web:
    image: x
    depends_on:
      db: {condition: service_healthy}
      agent: {condition: service_healthy}
      migrate: {condition: service_completed_successfully}
      cache: {condition: service_started}
  db: {image: x, healthcheck: {test: a}}
  agent: {image: x, deploy: {mode: global}}
  migrate: {image: x, command: [migrate]}
  cache: {image: x}
"""


def test_waiting(bench: Any) -> None:
    """Health is asked of the network, which takes no rights; the end of a job of the API server, without a shell."""
    objects = bench.objects(WAITING)
    job = next(iter(objects.names("Job")))
    pod = objects.pod("rel-web")
    assert [container["args"] for container in pod["initContainers"]] == [
        ["rel-db-awaited.default.svc.cluster.local."],
        ["rel-agent-awaited.default.svc.cluster.local."],
        ["wait", f"job/{job}", "--for=create", "--for=jsonpath={.status.conditions[-1:].status}=True",
         "--timeout=-1s"],
        ["wait", f"job/{job}", "--for=condition=Complete", "--timeout=30s"],
    ]  # fmt: skip
    assert len({container["name"] for container in pod["initContainers"]}) == 4
    assert pod["serviceAccountName"] == "rel-wait"
    assert pod["automountServiceAccountToken"] is False
    assert "volumeMounts" not in pod["containers"][0]
    asking = [container for container in pod["initContainers"] if "volumeMounts" in container]
    assert [container["name"] for container in asking] == ["find-migrate", "await-migrate"]
    assert all(mount["name"] == "tycho-wait-token" for container in asking for mount in container["volumeMounts"])


def test_awaited_service_selects_new_healthy_pods(bench: Any) -> None:
    """The Service leads to pods of one rollout, ready ones alone; another image, another rollout."""
    made = bench.chart(WAITING.replace("db: {image: x,", "db: {image: 'x:${TAG:-1}',"))
    first, second, same = (
        bench.render(made, {"variables": {"TAG": tag}, "services": {"db": {"replicas": count}}})
        for tag, count in (("1", 1), ("2", 1), ("1", 2))
    )
    rollouts = []
    for objects in (first, second, same):
        selector = objects.find("Service", "rel-db-awaited")["spec"]["selector"]
        labels = objects.find("Deployment", "rel-db")["spec"]["template"]["metadata"]["labels"]
        assert selector.items() <= labels.items()
        assert "publishNotReadyAddresses" not in objects.find("Service", "rel-db-awaited")["spec"]
        rollouts.append(selector["tycho.dev/rollout"])
    assert rollouts[0] == rollouts[2] != rollouts[1]
    moved = WAITING.replace("services:", "services:\n  extra: {image: x}")
    at = bench.objects(moved).find("Service", "rel-db-awaited")["spec"]["selector"]["tycho.dev/rollout"]
    assert at == bench.objects(WAITING).find("Service", "rel-db-awaited")["spec"]["selector"]["tycho.dev/rollout"]


def test_waiting_pod_reads_only_its_dependencies(bench: Any) -> None:
    objects = bench.objects(WAITING, "--set", "services.web.serviceAccountName=robot")
    rules = {rule["resources"][0]: rule for rule in objects.find("Role")["rules"]}
    assert set(rules) == {"jobs"}
    assert {tuple(rule["verbs"]) for rule in rules.values()} == {("get", "list", "watch")}
    assert [subject["name"] for subject in objects.find("RoleBinding")["subjects"]] == ["robot"]
    healthy = WAITING.replace("      migrate: {condition: service_completed_successfully}\n", "")
    for quiet in (
        bench.objects("services: {web: {image: x, depends_on: [db]}, db: {image: x}}"),
        bench.objects(healthy),
    ):
        assert not quiet.names("Role") | quiet.names("ServiceAccount") | quiet.names("RoleBinding")
    given = bench.objects(WAITING, "--set", "kubectl.serviceAccount.create=false,kubectl.serviceAccount.name=seer")
    assert not given.names("Role") | given.names("ServiceAccount") | given.names("RoleBinding")
    assert given.pod("rel-web")["serviceAccountName"] == "seer"


def test_a_job_is_named_for_what_it_does(bench: Any) -> None:
    text = "services: {m: {image: 'x:${TAG:-1}', restart: 'no', environment: {A: '${A}'}}}"
    made = bench.chart(text)

    def name(**env: str) -> str:
        return str(bench.render(made, {"variables": env}).find("Job")["metadata"]["name"])

    assert name() == name(TAG="1")
    assert len({name(), name(TAG="2"), name(A="secret")}) == 3
    other = bench.chart(text + "\nx-note: changed")
    assert bench.render(other).find("Job")["metadata"]["name"] == name()
    job = bench.render(made).find("Job")
    assert job["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    assert "ttlSecondsAfterFinished" not in job["spec"]


def test_job_fails_at_once_but_waits_again(bench: Any) -> None:
    spec = bench.objects("services: {m: {image: x, restart: 'no'}}").find("Job")["spec"]
    assert spec["backoffLimit"] == 6
    assert spec["template"]["spec"]["restartPolicy"] == "Never"
    (rule,) = spec["podFailurePolicy"]["rules"]
    assert rule == {
        "action": "FailJob", "onExitCodes": {"containerName": "m", "operator": "NotIn", "values": [0]}
    }  # fmt: skip
    again = bench.objects("services: {m: {image: x, restart: 'on-failure:4'}}").find("Job")["spec"]
    assert again["backoffLimit"] == 4
    assert "podFailurePolicy" not in again


def test_a_chart_version_rolls_no_pod(bench: Any) -> None:
    """Pod templates carry only what never changes."""
    objects = bench.objects(WAITING)
    for rendered in objects:
        template = rendered.get("spec", {}).get("template") or rendered.get("spec", {}).get("jobTemplate", {}).get(
            "spec", {}
        ).get("template")
        if template:
            labels = set(template["metadata"]["labels"])
            assert not labels & {"helm.sh/chart", "app.kubernetes.io/version"}
    assert "helm.sh/chart" in objects.find("Deployment", "rel-web")["metadata"]["labels"]


def test_changed_data_rolls_its_pods_only(bench: Any) -> None:
    text = """
      services:
        a: {image: x, environment: {A: "${A}"}}
        b: {image: x, configs: [c]}
        d: {image: x, secrets: [s]}
        e: {image: x}
      configs: {c: {content: "${C}"}}
      secrets: {s: {environment: S}}
    """
    made = bench.chart(text)

    def notes(values: dict[str, Any]) -> dict[str, Any]:
        rendered = bench.render(made, values)
        return {workload["metadata"]["name"]: workload["spec"]["template"]["metadata"]["annotations"]
                for workload in rendered if workload["kind"] == "Deployment"}  # fmt: skip

    before = notes({})
    for values, rolled in (
        ({"variables": {"A": "1"}}, "rel-a"),
        ({"variables": {"C": "1"}}, "rel-b"),
        ({"secrets": {"s": {"value": "eA=="}}}, "rel-d"),
    ):
        after = notes(values)
        assert {name for name in before if before[name] != after[name]} == {rolled}


def test_replacing(bench: Any) -> None:
    def strategy(service: str) -> Any:
        return bench.objects(f"services: {{web: {{image: x, {service}}}}}\nvolumes: {{vol: {{}}}}").find("Deployment")[
            "spec"
        ]

    assert strategy("tty: true")["strategy"] == {
        "type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}
    }  # fmt: skip
    spec = strategy("deploy: {replicas: 4, update_config: {order: stop-first, parallelism: 2, delay: 10s}}")
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 2}
    assert spec["minReadySeconds"] == 10
    assert strategy("volumes: ['vol:/d']")["strategy"] == {"type": "Recreate"}


def test_a_volume_of_many_nodes_holds_nobody_up(bench: Any) -> None:
    text = """
      services: {web: {image: x, volumes: ["vol:/d"], deploy: {update_config: {order: start-first}}}}
      volumes: {vol: {x-tycho: {accessModes: [MODE]}}}
    """
    many = bench.objects(text.replace("MODE", "ReadWriteMany")).find("Deployment")["spec"]
    single = bench.objects(text.replace("MODE", "ReadWriteOnce")).find("Deployment")["spec"]
    assert (many["strategy"]["type"], single["strategy"]["type"]) == ("RollingUpdate", "Recreate")
    assert "lifecycle" in many["template"]["spec"]["containers"][0]
    assert "lifecycle" not in single["template"]["spec"]["containers"][0]  # nobody takes the calls over


def test_replacing_on_every_node(bench: Any) -> None:
    def update(config: str) -> Any:
        text = f"services: {{web: {{image: x, deploy: {{mode: global, update_config: {{{config}}}}}}}}}"
        return bench.objects(text).find("DaemonSet")["spec"]["updateStrategy"]["rollingUpdate"]

    assert update("parallelism: 2") == {"maxSurge": 0, "maxUnavailable": 2}
    assert update("parallelism: 2, order: start-first") == {"maxSurge": 2, "maxUnavailable": 0}


def test_draining_pod_serves_until_removed(bench: Any) -> None:
    def pod(update: str, more: str = "tty: true") -> Any:
        text = f"services: {{web: {{image: x, {more}, deploy: {{update_config: {{{update}}}}}}}}}"
        rendered = bench.objects(text).pod("rel-web")
        return rendered["terminationGracePeriodSeconds"], rendered["containers"][0].get("lifecycle")

    assert pod("order: start-first") == (15, {"preStop": {"sleep": {"seconds": 5}}})
    assert pod("order: start-first", "stop_grace_period: 1500ms") == (7, {"preStop": {"sleep": {"seconds": 5}}})
    assert pod("parallelism: 1") == pod("order: stop-first") == (10, None)
    asked = {"preStop": {"exec": {"command": ["drain"]}}}
    assert pod("order: start-first", "pre_stop: [{command: [drain]}]") == (10, asked)


def test_a_budget_for_several(bench: Any) -> None:
    text = "services: {web: {image: x, deploy: {replicas: '${N:-2}'}}, one: {image: x}}"
    assert bench.objects(text).names("PodDisruptionBudget") == {"rel-web"}
    assert bench.objects(text, N="1").names("PodDisruptionBudget") == set()


def test_hooks_before_and_after(bench: Any) -> None:
    text = """
      services:
        web:
          image: app:1
          environment: {A: plain, B: "${B}"}
          volumes: ["vol:/data"]
          pre_start: [{command: [prepare, "$$x"], user: "5", environment: {C: d}, per_replica: true}]
          post_start: [{command: [warm]}]
          pre_stop: [{command: [drain]}]
      volumes: {vol: {}}
    """
    pod = bench.objects(text).pod("rel-web")
    filled, init = pod["initContainers"]
    assert filled["name"] == "fill-web"
    assert (init["image"], init["args"], init["securityContext"]["runAsUser"]) == ("app:1", ["prepare", "$x"], 5)
    assert sorted(variable["name"] for variable in init["env"]) == ["A", "B", "C"]
    assert init["volumeMounts"] == pod["containers"][0]["volumeMounts"]
    assert pod["containers"][0]["lifecycle"] == {
        "postStart": {"exec": {"command": ["warm"]}},
        "preStop": {"exec": {"command": ["drain"]}},
    }


def test_one_pod_for_services_that_share_a_network(bench: Any) -> None:
    text = """
      services:
        web: {image: x, ports: ["80:80"], depends_on: [proxy]}
        proxy: {image: p, expose: ["90"], network_mode: "service:web"}
    """
    # Each starting after the other would be a circle; sharing the network asks for no order.
    objects = bench.objects(text.replace(", depends_on: [proxy]", ""))
    assert [container["name"] for container in objects.pod("rel-web")["containers"]] == ["web", "proxy"]
    assert {port["port"] for port in objects.find("Service", "web")["spec"]["ports"]} == {80, 90}
    assert objects.names("Deployment") == {"rel-web"}


def test_jobs_of_the_clock(bench: Any) -> None:
    text = """
      services: {web: {image: x}}
      jobs:
        nightly: {image: x, triggers: {schedule: [{cron: "0 3 * * *", timezone: Europe/Paris, concurrency: forbid}]}}
        asked: {image: x, triggers: {manual: true}}
    """
    objects = bench.objects(text)
    spec = objects.find("CronJob", "rel-nightly")["spec"]
    assert (spec["schedule"], spec["timeZone"], spec["concurrencyPolicy"]) == ("0 3 * * *", "Europe/Paris", "Forbid")
    assert objects.find("CronJob", "rel-asked")["spec"]["suspend"] is True


def test_a_job_in_several_pods(bench: Any) -> None:
    text = "services: {m: {image: x, deploy: {mode: replicated-job, replicas: '${N:-3}'}}}"
    spec = bench.objects(text, N="4").find("Job")["spec"]
    assert (spec["parallelism"], spec["completions"]) == (4, 4)
    assert "completions" not in bench.objects("services: {m: {image: x, restart: 'no'}}").find("Job")["spec"]
