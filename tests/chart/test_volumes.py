"""Fresh and anonymous volumes, and mounts inside of mounts, as real Helm renders them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.chart.conftest import Bench
from tests.chart.test_cluster import Server
from tests.chart.volume_cases import CASES, behind, opened, rendered, rows, words
from tycho.chart import emit, release_values

OLD = ("--kube-version", "1.34.0")
RESTRICTED = ("--set", "podSecurity=restricted")


def test_fresh_volume(bench: Bench) -> None:
    objects = rendered(bench, opened(CASES / "fresh-volume-nonroot"))
    assert words(objects, "admin") == [
        ("content", "/fill/admin-data", "data", "/from/image-of-admin", "/var/lib/pgadmin")
    ]
    pod = objects.pod("rel-admin")
    (container,) = pod["initContainers"]
    (image,) = (volume["image"] for volume in pod["volumes"] if "image" in volume)
    assert image == {"reference": "dpage/pgadmin4:8", "pullPolicy": "IfNotPresent"}
    assert container["securityContext"]["runAsUser"] == 0
    assert container["command"] == ["/bin/sh", "-eu", "/tycho/fill.sh"]
    claim = objects.find("PersistentVolumeClaim")
    assert claim["metadata"]["annotations"]["tycho.dev/sub-path"] == "data"


@pytest.mark.parametrize("args", [OLD, RESTRICTED, ("--set", "fill.fromImage=false")], ids=lambda args: args[1])
def test_fresh_volume_left_out(args: tuple[str, ...], bench: Bench) -> None:
    """The claim is mounted in the same way, so that nothing moves when the cluster is a newer one."""
    objects = rendered(bench, opened(CASES / "fresh-volume-nonroot"), *args)
    pod = objects.pod("rel-admin")
    assert "initContainers" not in pod
    assert not [volume for volume in pod["volumes"] if "image" in volume]
    assert behind(objects, "admin", "/var/lib/pgadmin")[0]["subPath"] == "data"


@pytest.mark.parametrize("args", [(), OLD, RESTRICTED], ids=str)
def test_stateful_set(args: tuple[str, ...], bench: Bench) -> None:
    text = """
      services:
        db: {image: x, user: "70", volumes: ["vol:/v", /anon], deploy: {replicas: 3}, x-tycho: {kind: StatefulSet}}
      volumes: {vol: {}}
    """
    objects = bench.objects(text, *args)
    spec = objects.find("StatefulSet")["spec"]
    claims = {claim["metadata"]["name"]: claim["metadata"]["annotations"] for claim in spec["volumeClaimTemplates"]}
    assert claims == {name: {"tycho.dev/sub-path": "data"} for name in ("vol", "db-anon")}
    mounted = {volume["name"] for volume in spec["template"]["spec"]["volumes"]}
    assert mounted == ({"tycho-fill", "image-of-db"} if args == () else {"tycho-fill"})
    assert [step[0] for step in words(objects, "db", "StatefulSet")] == ([] if args else ["content", "content"])


def test_users_own_their_volumes(bench: Bench) -> None:
    policy_result = opened(CASES / "fresh-volume-user")
    objects = rendered(bench, policy_result)
    context = {name: objects.pod(f"rel-{name}")["securityContext"] for name in ("flow", "web", "u", "n")}
    groups = {
        name: (security.get("fsGroup"), security.get("fsGroupChangePolicy")) for name, security in context.items()
    }
    kept = "OnRootMismatch"
    assert groups == {"flow": (1000, kept), "web": (None, None), "u": (0, kept), "n": (1000, kept)}
    assert context["flow"]["supplementalGroups"] == [2000]
    steps = [step[:2] for step in words(objects, "web")]
    assert steps == [("content", "/fill/html"), ("new", "/fill/plain")]  # nocopy: a folder, and nothing in it
    own = rendered(bench, policy_result, "--set", "services.flow.podSecurityContext.fsGroup=7")
    assert own.pod("rel-flow")["securityContext"]["fsGroup"] == 7


@pytest.mark.parametrize("key", ["subPath=", "existingClaim=theirs"])
def test_claims_of_others_are_mounted_whole(key: str, bench: Bench) -> None:
    objects = rendered(bench, opened(CASES / "fresh-volume-user"), "--set", f"persistence.flow.{key}")
    assert "subPath" not in behind(objects, "flow", "/home/node/.n8n")[0]
    assert words(objects, "flow") == []
    assert "fsGroup" not in objects.pod("rel-flow")["securityContext"]
    for claim in objects:
        if claim["kind"] == "PersistentVolumeClaim" and claim["metadata"]["name"] == "rel-flow":
            assert "tycho.dev/sub-path" not in claim["metadata"]["annotations"]


def test_part_of_a_volume_is_not_filled(bench: Bench) -> None:
    text = """
      services: {web: {image: x, volumes: [{type: volume, source: v, target: /v, volume: {subpath: a}}]}}
      volumes: {v: }
    """
    objects = bench.objects(text)
    assert behind(objects, "web", "/v")[0]["subPath"] == "data/a"
    assert words(objects, "web") == []


@pytest.mark.parametrize("keys", ["deploy: {replicas: 2}", "scale: '${N:-1}'", "deploy: {mode: global}"])
def test_anonymous_volume_of_several_pods(keys: str, bench: Bench) -> None:
    policy_result = bench.policy_result(f"services: {{db: {{image: x, volumes: [/var/lib/mysql], {keys}}}}}")
    objects = rendered(bench, policy_result)
    kind = "DaemonSet" if "global" in keys else "Deployment"
    assert "emptyDir" in behind(objects, "db", "/var/lib/mysql", kind)[1]
    assert [step[0] for step in words(objects, "db", kind)] == ["content"]
    ((outcome, target),) = rows(emit(policy_result), "services.db.volumes[0]")
    assert (outcome, target) == ("approximated", "emptyDir")


@pytest.mark.parametrize("keys", ["", "restart: 'no'", "deploy: {replicas: 1}"])
def test_anonymous_volume_is_kept(keys: str, bench: Bench) -> None:
    objects = bench.objects(f"services: {{db: {{image: x, volumes: [/var/lib/mysql], {keys}}}}}")
    claim = objects.find("PersistentVolumeClaim")
    assert claim["metadata"]["name"] == "rel-db-var-lib-mysql"
    assert claim["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"  # over an upgrade; `down` takes it


def test_file_inside_mounted_folder(bench: Bench) -> None:
    objects = rendered(bench, opened(CASES / "file-inside-mounted-folder"))
    assert {step[0] for step in words(objects, "node")} == {"owner", "seed", "content"}
    outer, volume = behind(objects, "graf", "/etc/grafana/provisioning")
    assert "persistentVolumeClaim" in volume  # in which a runtime makes what mountpoints it needs
    assert "readOnly" not in outer


NESTED = {
    "a file": (["./conf:/c:ro", "./a.conf:/c/sub/a.conf:ro"], [("file", "sub/a.conf")]),
    "a claim": (["./conf:/c:ro", "data:/c/state"], [("folder", "state")]),
    "one in another": (
        ["./conf:/c:ro", "./more:/c/more:ro", "data:/c/more/x"], [("folder", "more"), ("folder", "x")]
    ),
    "memory": (["./conf:/c:ro", {"type": "tmpfs", "target": "/c/tmp"}], [("folder", "tmp")]),
    "an anonymous one": (["./conf:/c:ro", "/c/cache"], [("folder", "cache")]),
}  # fmt: skip


@pytest.mark.parametrize("name", NESTED)
def test_mounts_inside_read_only_mounts(name: str, bench: Bench) -> None:
    volumes, made = NESTED[name]
    text = f"services: {{web: {{image: x, volumes: {volumes!r}}}}}\nvolumes: {{data: }}\n"
    files = {"conf/x": "x", "conf/sub/y": "y", "a.conf": "a", "more/m": "m"}
    policy_result = bench.policy_result(text, files)
    objects = rendered(bench, policy_result)
    mount, volume = behind(objects, "web", "/c")
    assert "emptyDir" in volume
    assert mount["readOnly"] is True
    steps = [(step[0], step[4]) for step in words(objects, "web") if step[0] in ("file", "folder")]
    assert steps == made
    assert rows(emit(policy_result), "services.web.volumes[0]")[0] == (
        "translated", "emptyDir, with a copy of a ConfigMap at each start"
    )  # fmt: skip


def test_secret_files_are_copied_in_memory(bench: Bench) -> None:
    text = "services: {web: {image: x, volumes: ['./tls:/tls:ro', '/tls/cache']}}"
    objects = bench.objects(text, files={"tls/server.key": "-----BEGIN PRIVATE KEY-----\nx\n"})
    assert behind(objects, "web", "/tls")[1]["emptyDir"] == {"medium": "Memory"}


def test_names_reach_the_helper_as_arguments(bench: Bench) -> None:
    """Whatever a compose file says is a word for the helper: no code of Helm's, Kubernetes' or a shell's."""
    target = "/a $(id) `id` {{ .Release }} \"q\" 'x' $y"
    written = json.dumps(target.replace("$", "$$"))
    policy_result = bench.policy_result(
        f"services: {{web: {{image: x, volumes: [{{type: volume, target: {written}}}]}}}}"
    )
    objects = rendered(bench, policy_result)
    (container,) = objects.pod("rel-web")["initContainers"]
    assert container["args"][-1].replace("$$", "$") == target
    assert "id`" not in "".join(container["command"])


def test_notes_say_what_starts_empty() -> None:
    notes = emit(opened(CASES / "fresh-volume-nonroot")).files["templates/NOTES.txt"]
    assert "These volumes start empty" in str(notes)


@pytest.mark.parametrize("name", ["fresh-volume-user", "file-inside-mounted-folder", "unreadable-data-folder"])
def test_chart_is_clean(name: str, bench: Bench, tmp_path: Path) -> None:
    assert bench.lint([emit(opened(CASES / name))]) == ""


@pytest.mark.xdist_group("chart-cluster")
def test_a_real_api_server_accepts_them(bench: Bench, kubeconfig: Path) -> None:
    names = ("fresh-volume-user", "fresh-volume-nonroot", "file-inside-mounted-folder", "unreadable-data-folder")
    objects = []
    for number, name in enumerate(names):
        policy_result = opened(CASES / name)
        for args in ((), OLD, RESTRICTED):
            rendered_objects = bench.render(
                emit(policy_result), release_values(policy_result.system), *args, name=f"v{number}"
            )
            objects += [
                rendered for rendered in rendered_objects if rendered["kind"] in ("Deployment", "PersistentVolumeClaim")
            ]
    assert Server(kubeconfig).accepts(objects) == ""


def test_single_node_claim_recreates_pod(bench: Bench) -> None:
    objects: Any = bench.objects("services: {db: {image: x, volumes: [/data]}}")
    assert objects.find("Deployment")["spec"]["strategy"] == {"type": "Recreate"}
