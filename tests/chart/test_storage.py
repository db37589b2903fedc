"""Volumes, files, secrets: what is mounted, and what is nowhere in the chart."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from tycho.chart import emit
from tycho.errors import ComposeError


def test_one_claim_for_a_volume_whoever_uses_it(bench: Any) -> None:
    text = """
      services:
        a: {image: x, volumes: ["data:/a", "other:/o"]}
        b: {image: x, volumes: ["data:/b:ro"]}
        c: {image: x, volumes: ["other:/c"]}
        d: {image: x, volumes: ["lone:/d"]}
      volumes:
        data: {x-tycho: {size: 5g, class: fast}}
        other: {driver_opts: {size: 2g}}
        lone:
    """
    objects = bench.objects(text)
    assert objects.names("PersistentVolumeClaim") == {"rel-data", "rel-other", "rel-lone"}
    claim = objects.find("PersistentVolumeClaim", "rel-data")
    assert claim["spec"] == {
        "accessModes": ["ReadWriteOnce"], "storageClassName": "fast", "volumeMode": "Filesystem",
        "resources": {"requests": {"storage": "5Gi"}},
    }  # fmt: skip
    assert claim["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep", "tycho.dev/sub-path": "data"}
    terms = {
        name: objects.pod(f"rel-{name}")
        .get("affinity", {})
        .get("podAffinity", {})
        .get("requiredDuringSchedulingIgnoredDuringExecution")
        for name in "abcd"
    }
    assert terms["a"] == terms["b"] == terms["c"]
    assert len(terms["a"]) == 1
    assert terms["d"] is None
    labels = objects.find("Deployment", "rel-c")["spec"]["template"]["metadata"]["labels"]
    assert terms["a"][0]["labelSelector"]["matchLabels"].items() <= labels.items()
    shared = bench.render(
        bench.chart(text), {"persistence": {name: {"accessModes": ["ReadWriteMany"]} for name in ("data", "other")}}
    )
    assert "affinity" not in shared.pod("rel-a")


def test_replicas_share_the_node_of_their_volume(bench: Any) -> None:
    text = "services: {web: {image: x, volumes: ['vol:/v'], deploy: {replicas: '${N:-1}'}}}\nvolumes: {vol: {}}"
    assert "podAffinity" in bench.objects(text).pod("rel-web")["affinity"]


def test_statefulset_has_claim_per_pod(bench: Any) -> None:
    text = "services: {db: {image: x, volumes: ['vol:/v'], x-tycho: {kind: StatefulSet}}}\nvolumes: {vol: {}}"
    objects = bench.objects(text)
    spec = objects.find("StatefulSet")["spec"]
    assert spec["volumeClaimTemplates"][0]["metadata"]["name"] == "vol"
    assert not objects.names("PersistentVolumeClaim")
    assert [volume["name"] for volume in spec["template"]["spec"]["volumes"]] == ["tycho-fill", "image-of-db"]
    assert objects.find("Service", "db")["spec"]["clusterIP"] == "None"
    done = bench.run(bench.chart(text), {"dns": {"scope": "release"}})
    assert "StatefulSet" in done.stderr


def test_other_volumes(bench: Any) -> None:
    text = """
      services:
        web:
          image: x
          shm_size: 64m
          tmpfs: ["/run:size=10m"]
          volumes:
            - /anonymous
            - mine:/mine
            - share:/share
            - {type: tmpfs, target: /scratch, tmpfs: {size: 1048576}}
            - {type: image, source: "tools:1", target: /tools}
            - {type: volume, source: sub, target: /sub, volume: {subpath: a/b}}
      volumes:
        mine: {external: true, name: theirs}
        share: {driver_opts: {type: nfs, o: "addr=10.0.0.9,rw", device: ":/export"}}
        sub:
    """
    pod = bench.objects(text).pod("rel-web")
    volumes = {entry["name"]: entry for entry in pod["volumes"]}
    mounts = {entry["mountPath"]: entry for entry in pod["containers"][0]["volumeMounts"]}

    def at(path: str) -> Any:
        return {key: value for key, value in volumes[mounts[path]["name"]].items() if key != "name"}

    assert at("/anonymous") == {"persistentVolumeClaim": {"claimName": "rel-web-anonymous"}}
    assert at("/mine") == {"persistentVolumeClaim": {"claimName": "theirs"}}
    assert at("/share") == {"nfs": {"server": "10.0.0.9", "path": "/export"}}
    assert at("/scratch") == {"emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}}
    assert at("/run") == {"emptyDir": {"medium": "Memory", "sizeLimit": "10Mi"}}
    assert at("/dev/shm") == {"emptyDir": {"medium": "Memory", "sizeLimit": "64Mi"}}  # noqa: S108 - a mount
    assert at("/tools") == {"image": {"reference": "tools:1"}}
    assert mounts["/sub"]["subPath"] == "data/a/b"
    assert "subPath" not in mounts["/mine"]


def test_binds(bench: Any) -> None:
    text = """
      services:
        web:
          image: x
          build: ./src
          volumes:
            - ./nginx.conf:/etc/nginx/nginx.conf:ro
            - ./site:/site
            - ./absent:/absent
            - ./src:/app
            - /app/node_modules
            - /etc/localtime:/etc/localtime:ro
        other: {image: x, volumes: ["./absent:/here", "./nginx.conf:/n.conf"]}
    """
    files = {"nginx.conf": "worker;", "site/index.html": "<p>", "site/css/a.css": "p {}", "src/main.py": "pass"}
    files["src/Dockerfile"] = "FROM x\nCOPY . /app\n"
    policy_result = bench.policy_result(text, files)
    made = emit(policy_result)
    objects = bench.render(made)
    mounts = {mount["mountPath"]: mount for mount in objects.container("rel-web")["volumeMounts"]}
    assert set(mounts) == {"/etc/nginx/nginx.conf", "/site", "/absent"}
    assert mounts["/etc/nginx/nginx.conf"]["subPath"] == "nginx.conf"
    assert objects.names("ConfigMap") == {"rel-nginx-conf", "rel-site", "rel-tycho-fill"}
    assert objects.names("PersistentVolumeClaim") == {"rel-absent", "rel-site"}
    assert objects.container("rel-other")["volumeMounts"][0]["name"] == mounts["/absent"]["name"]
    outcomes = {row.path: row.outcome for row in made.report}
    assert outcomes["services.web.volumes[3]"] == "ignored"
    assert outcomes["services.web.volumes[5]"] == "ignored"
    assert outcomes["services.web.volumes[2]"] == "approximated"


def test_files_that_a_release_could_not_hold(bench: Any) -> None:
    noise = hashlib.shake_256(b"noise").digest(400_000)
    with pytest.raises(ComposeError) as caught:
        bench.chart("services: {web: {image: x, volumes: ['./big.bin:/big.bin:ro']}}", {"big.bin": noise})
    (problem,) = caught.value.problems
    assert problem.path == "services.web.volumes[0]"
    assert "KiB" in problem.message


def test_a_chart_alone_says_which_secret_is_missing(bench: Any) -> None:
    text = "services: {web: {image: x, environment: {DB_PASSWORD: hunter2}}}"
    objects = bench.render(bench.chart(text))
    (entry,) = objects.container("rel-web")["env"]
    assert entry["valueFrom"]["secretKeyRef"] == {"name": "rel-web-env", "key": "DB_PASSWORD"}
    assert objects.secret("rel-web-env") == {}


def test_environment_goes_before_env_file(bench: Any) -> None:
    text = "services: {web: {image: x, env_file: [a.env], environment: {A: mine, PASSED: null}}}"
    files = {"a.env": "A=file\nB=file\nPASSED=file\n"}
    assert bench.objects(text, files=files).env("rel-web") == {"A": "mine", "B": "file"}
    assert bench.objects(text, files=files, PASSED="p").env("rel-web") == {"A": "mine", "B": "file", "PASSED": "p"}


def test_one_secret_at_two_places(bench: Any) -> None:
    text = """
      services: {web: {image: x, secrets: [s, {source: s, target: /etc/key, mode: 0400}, {source: s, target: /opt/s}]}}
      secrets: {s: {environment: S}}
    """
    pod = bench.objects(text).pod("rel-web")
    items = {entry["name"]: entry["secret"]["items"][0] for entry in pod["volumes"]}
    mounts = {
        entry["mountPath"]: (entry["subPath"], items[entry["name"]]) for entry in pod["containers"][0]["volumeMounts"]
    }
    assert mounts == {
        "/run/secrets/s": ("s", {"key": "s", "path": "s", "mode": 0o444}),
        "/etc/key": ("key", {"key": "s", "path": "key", "mode": 0o400}),
        "/opt/s": ("s", {"key": "s", "path": "s", "mode": 0o444}),
    }


def test_secrets_and_configs_that_exist(bench: Any) -> None:
    text = """
      services: {web: {image: x, secrets: [s], configs: [{source: c, target: /etc/c.conf, mode: 0440}]}}
      secrets: {s: {external: true, name: vault-s}}
      configs: {c: {external: true}}
    """
    objects = bench.objects(text)
    volumes = {volume["name"]: volume for volume in objects.pod("rel-web")["volumes"]}
    assert volumes["secret-s"]["secret"]["secretName"] == "vault-s"
    assert volumes["config-c"]["configMap"] == {"name": "c", "items": [{"key": "c", "path": "c.conf", "mode": 0o440}]}
    assert not objects.names("Secret") | objects.names("ConfigMap")
    own = bench.objects(text, "--set", "secrets.s.existingSecret=other", "--set", "secrets.s.key=k")
    secret = next(volume for volume in own.pod("rel-web")["volumes"] if volume["name"] == "secret-s")["secret"]
    assert (secret["secretName"], secret["items"][0]["key"]) == ("other", "k")
