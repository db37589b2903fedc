"""values = f(env): what the environment says in a release is as if the compose file said it. One square commutes."""

from __future__ import annotations

import base64
import re
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.chart.conftest import expanded
from tycho.chart import emit, release_values


def normalise(objects: list[dict[str, Any]]) -> dict[tuple[str, str], Any]:
    """Objects without what is said of their chart, and with what is kept in Secrets put where it is read."""
    secrets = {one["metadata"]["name"]: one.get("data") or {} for one in objects if one["kind"] == "Secret"}
    found = {}
    for one in objects:
        labels = one["metadata"].get("labels", {})
        for name in ("helm.sh/chart", "app.kubernetes.io/version"):
            labels.pop(name, None)
        if one["kind"] == "Secret" and one["metadata"]["name"].endswith("-env"):
            continue
        name = one["metadata"]["name"]
        spec = one.get("spec", {})
        template = spec.get("jobTemplate", {}).get("spec", spec).get("template", {})
        notes = template.get("metadata", {}).get("annotations", {})
        for note in [note for note in notes if note.startswith("checksum/")]:
            del notes[note]
        for container in template.get("spec", {}).get("initContainers", []):
            container["args"] = [re.sub(r"^(job/.*)-[0-9a-f]{8}$", r"\1", arg) for arg in container["args"]]
        for container in template.get("spec", {}).get("containers", []):
            for entry in container.get("env", ()):
                ref = entry.pop("valueFrom", {}).get("secretKeyRef")
                if ref:
                    entry["value"] = base64.b64decode(secrets[ref["name"]][ref["key"]]).decode()
                else:
                    entry["value"] = expanded(entry["value"])
        if one["kind"] == "Job":
            name = name.rpartition("-")[0]
            one["metadata"]["name"] = name
        found[one["kind"], name] = one
    return found


LIVE = """
services:
  web:
    image: "${REGISTRY:-docker.io}/nginx:${TAG}"
    entrypoint: ["sh", "-c", "echo ${TEXT}"]
    command: ["$TEXT", "x${TEXT:+y}"]
    working_dir: /srv/${TAG:-x}
    environment:
      A: "${TEXT}"
      B: "${TEXT:-none} and $$HOME"
      C: plain $$dollar
    labels:
      note: "${TEXT-unset}"
    ports: ["${PORT:-8080}:80"]
    deploy:
      replicas: ${N:-2}
      labels: {about: "${TAG}"}
      resources: {limits: {cpus: "${CPUS:-0.5}", memory: "${MEMORY:-64m}"}}
    shm_size: ${MEMORY:-64m}
    healthcheck: {test: ["CMD", "check", "${TEXT}"]}
    configs: [motd]
    depends_on: {migrate: {condition: service_completed_successfully}}
  migrate:
    image: "app:${TAG}"
    restart: "no"
    environment: {WHO: "${TEXT}"}
configs:
  motd: {content: "hello ${TEXT}"}
"""
TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff\ufffe\uffff"), max_size=8
) | st.sampled_from(["", "$X", "${Y}", "$$", "{{ .Values }}", "$(Z)", "a b", "'\"", "\\"])


@given(
    env=st.fixed_dictionaries(
        {"TAG": st.sampled_from(["1", "1.10", "v2"])},
        optional={
            "REGISTRY": st.sampled_from(["", "r.example:5000"]),
            "TEXT": TEXTS,
            "PORT": st.sampled_from(["", "80", "9090"]),
            "N": st.sampled_from(["", "0", "3"]),
            "CPUS": st.sampled_from(["", "1", "0.25"]),
            "MEMORY": st.sampled_from(["1g", "512m", "1048576"]),
        },
    )
)
@settings(max_examples=max(10, settings.default.max_examples // 10))
def test_values_in_the_release_are_as_values_in_the_file(bench: Any, env: dict[str, str]) -> None:
    """render(compile(C), values(E)) == render(compile(C with E substituted), {}), whatever E says."""
    woven = bench.woven(LIVE, **env)
    left = normalise(bench.render(emit(bench.woven(LIVE)), release_values(woven.system)))
    assert substituted(woven.system.services["web"]) == 0
    right_woven = bench.woven(_substitute(LIVE, env))
    assert not right_woven.system.variables
    right = normalise(bench.render(emit(right_woven), release_values(right_woven.system)))
    assert left == right


def substituted(service: Any) -> int:
    """How many of the service's live values lost their template on the way."""
    return sum(1 for value in (service.image, service.working_dir) if not hasattr(value, "template"))


def _substitute(text: str, env: dict[str, str]) -> str:
    """The same document with every variable replaced by what it is worth, as a person would write it."""
    from tycho.compose.interpolate import expand

    def walk(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: walk(value) for key, value in node.items()}
        if isinstance(node, list):
            return [walk(value) for value in node]
        return expand(node, env).replace("$", "$$") if isinstance(node, str) else node

    tree = walk(yaml.safe_load(text))
    deploy = tree["services"]["web"]["deploy"]
    for holder, key in ((deploy, "replicas"), (deploy["resources"]["limits"], "cpus")):
        if holder[key] == "":
            del holder[key]
    return yaml.safe_dump(tree, allow_unicode=True, sort_keys=False)


def test_normalise_hides_nothing_else(bench: Any) -> None:
    one = normalise(bench.objects("services: {web: {image: a, environment: {A: x}, labels: {l: x}}}"))
    for change in ("image: b", "image: a, environment: {A: y}", "image: a, environment: {A: x}, labels: {l: y}"):
        assert normalise(bench.objects(f"services: {{web: {{{change}}}}}")) != one
