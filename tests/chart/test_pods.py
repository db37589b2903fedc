"""Where a pod may run, and what it may do there."""

from __future__ import annotations

from typing import Any


def test_placement(bench: Any) -> None:
    text = """
      services:
        web:
          image: x
          platform: linux/arm64
          deploy:
            placement:
              constraints: [node.labels.disk == ssd, node.role != manager, node.hostname != a]
              preferences: [{spread: node.labels.zone}]
              max_replicas_per_node: 1
    """
    pod = bench.objects(text).pod("rel-web")
    (term,) = pod["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert term["matchExpressions"] == [
        {"key": "disk", "operator": "In", "values": ["ssd"]},
        {"key": "node-role.kubernetes.io/control-plane", "operator": "DoesNotExist"},
        {"key": "kubernetes.io/hostname", "operator": "NotIn", "values": ["a"]},
    ]
    assert pod["nodeSelector"] == {"kubernetes.io/os": "linux", "kubernetes.io/arch": "arm64"}
    (spread,) = pod["topologySpreadConstraints"]
    assert (spread["topologyKey"], spread["labelSelector"]["matchLabels"]["app.kubernetes.io/component"]) == (
        "zone",
        "web",
    )
    (apart,) = pod["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert apart["labelSelector"]["matchLabels"]["app.kubernetes.io/component"] == "web"


def test_rights_and_resources(bench: Any) -> None:
    text = """
      services:
        web:
          image: x
          user: "1000:1001"
          group_add: ["7"]
          read_only: true
          cap_add: [cap_net_bind_service]
          cap_drop: [ALL]
          security_opt: ["no-new-privileges:true", "label:type:container_kvm_t"]
          sysctls: {net.ipv4.tcp_syncookies: 1}
          gpus: all
          mem_reservation: 32m
          cpus: 1.5
          stop_grace_period: 1m30s
          tty: true
          stdin_open: true
          runtime: gvisor
    """
    pod = bench.objects(text).pod("rel-web")
    container = pod["containers"][0]
    assert container["securityContext"] == {
        "runAsUser": 1000, "runAsGroup": 1001, "readOnlyRootFilesystem": True, "allowPrivilegeEscalation": False,
        "capabilities": {"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]},
    }  # fmt: skip
    assert container["resources"] == {
        "limits": {"cpu": "1500m", "nvidia.com/gpu": 1}, "requests": {"memory": "32Mi"}
    }  # fmt: skip
    assert pod["securityContext"] == {
        "seccompProfile": {"type": "RuntimeDefault"}, "supplementalGroups": [7],
        "seLinuxOptions": {"type": "container_kvm_t"},
        "sysctls": [
            {"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"},
            {"name": "net.ipv4.tcp_syncookies", "value": "1"},
        ],
    }  # fmt: skip
    assert pod["tolerations"] == [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]
    assert (container["tty"], container["stdin"]) == (True, True)
    assert (pod["terminationGracePeriodSeconds"], pod["runtimeClassName"]) == (90, "gvisor")
    assert pod["enableServiceLinks"] is False


def test_fields_that_other_objects_have(bench: Any) -> None:
    text = """
      services:
        web:
          image: x
          scale: 3
          mem_limit: 64m
          annotations: {a.example/b: c}
          ports: [{target: 80, app_protocol: http}]
          volumes: ["data:/data"]
          deploy: {endpoint_mode: dnsrr}
        once:
          image: x
          volumes_from: ["web:ro"]
          deploy: {restart_policy: {condition: on-failure, max_attempts: 4}}
      volumes:
        data: {driver: local, labels: {d.example/e: f}}
    """
    objects = bench.objects(text)
    assert objects.find("Deployment", "rel-web")["spec"]["replicas"] == 3
    assert objects.find("Deployment", "rel-web")["spec"]["template"]["metadata"]["annotations"]["a.example/b"] == "c"
    assert objects.container("rel-web")["resources"] == {"limits": {"memory": "64Mi"}}
    assert objects.find("Service", "web")["spec"]["clusterIP"] == "None"
    assert objects.find("Service", "rel-web-published")["spec"]["ports"][0]["appProtocol"] == "http"
    assert objects.find("PersistentVolumeClaim", "rel-data")["metadata"]["annotations"]["d.example/e"] == "f"
    assert "storageClassName" not in objects.find("PersistentVolumeClaim", "rel-data")["spec"]
    job = objects.find("Job")["spec"]
    (mount,) = job["template"]["spec"]["containers"][0]["volumeMounts"]
    assert (job["backoffLimit"], mount["mountPath"], mount["readOnly"]) == (4, "/data", True)


def test_every_container_leaves_its_last_words(bench: Any) -> None:
    text = """
      services:
        web: {image: x, ports: ['80'], depends_on: {db: {condition: service_healthy}}, pre_start: [{command: [a]}]}
        db: {image: x, healthcheck: {test: 'true'}}
    """
    objects = bench.objects(text)
    pods = [objects.pod("rel-web"), objects.pod("rel-db"), objects.find("Pod", "rel-test")["spec"]]
    containers = [container for pod in pods for container in (*pod.get("initContainers", ()), *pod["containers"])]
    assert len(containers) == 5
    assert {container["terminationMessagePolicy"] for container in containers} == {"FallbackToLogsOnError"}


def test_rendered_objects_have_no_empty_fields(bench: Any) -> None:
    text = """
      services:
        web: {image: x, ports: ['80:80'], environment: [PASSED], secrets: [s], env_file: [{path: no, required: false}]}
      secrets: {s: {environment: S}}
    """
    lines = bench.run(bench.chart(text), {}).stdout.splitlines()
    for number, line in enumerate(lines):
        assert line == line.rstrip(), line
        assert line or lines[number + 1 : number + 2] in ([], ["---"]), lines[number - 2 : number + 2]
