"""values = f(env): what the environment says in a release is as if the compose file said it. One square commutes."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest
import yaml
from hypothesis import Phase, example, given, settings

from tests.chart import drawn
from tests.chart.conftest import expanded
from tycho.chart import check_start, emit, release_values
from tycho.cli.yaml_output import dump
from tycho.compose.interpolation import expand
from tycho.errors import ComposeError


def normalise(objects: list[dict[str, Any]]) -> dict[tuple[str, str], Any]:
    """Objects without what is said of their chart, and with what is kept in Secrets put where it is read."""
    secrets = {
        rendered["metadata"]["name"]: rendered.get("data") or {} for rendered in objects if rendered["kind"] == "Secret"
    }
    normal = {}
    for rendered in objects:
        labels = rendered["metadata"].get("labels", {})
        if rendered["kind"] == "Service":  # of an awaited service: it tells one rollout from another
            rendered["spec"]["selector"].pop("tycho.dev/rollout", None)
        for name in ("helm.sh/chart", "app.kubernetes.io/version"):
            labels.pop(name, None)
        if rendered["kind"] == "Secret" and rendered["metadata"]["name"].endswith("-env"):
            continue
        name = rendered["metadata"]["name"]
        spec = rendered.get("spec", {})
        template = spec.get("jobTemplate", {}).get("spec", spec).get("template", {})
        notes = template.get("metadata", {}).get("annotations", {})
        template.get("metadata", {}).get("labels", {}).pop("tycho.dev/rollout", None)
        for note in [note for note in notes if note.startswith("checksum/")]:
            del notes[note]
        first, then = (template.get("spec", {}).get(key, []) for key in ("initContainers", "containers"))
        for container in first:
            container["args"] = [re.sub(r"^(job/.*)-[0-9a-f]{8}$", r"\1", arg) for arg in container.get("args", ())]
        for container in (*first, *then):
            entries = container.pop("env", None) or []  # null, where the only ones were not given
            container["env"] = sorted(entries, key=lambda entry: str(entry["name"]))  # none reads another
            for owner in (container, *(probe.get("exec", {}) for key, probe in container.items() if "Probe" in key)):
                for key in ("command", "args"):
                    if key in owner:
                        owner[key] = [expanded(word) for word in owner[key]]
            for entry in container.get("env", ()):
                ref = entry.pop("valueFrom", {}).get("secretKeyRef")
                if ref:
                    entry["value"] = base64.b64decode(secrets[ref["name"]][ref["key"]]).decode()
                else:
                    entry["value"] = expanded(entry["value"])
        if rendered["kind"] == "Job":
            name = name.rpartition("-")[0]
            rendered["metadata"]["name"] = name
        normal[rendered["kind"], name] = rendered
    return normal


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
    volumes: ["data:/data"]
configs:
  motd: {content: "hello ${TEXT}"}
volumes:
  data: {driver_opts: {size: "${MEMORY:-1g}"}}
"""


@given(document=drawn.systems(), env=drawn.ENVIRONMENTS)
@settings(max_examples=max(12, settings.default.max_examples // 10), phases=set(Phase) - {Phase.shrink})  # Helm is slow
@example(
    document=yaml.safe_load(LIVE), env={"TAG": "1.10", "TEXT": "$X {{ .Values }}", "N": "0", "CPUS": "", "PORT": ""}
)
@example(
    document=yaml.safe_load(LIVE), env={"TAG": "v2", "REGISTRY": "", "MEMORY": "512m", "CPUS": "1", "PORT": "9090"}
)
@example(  # what looks like a number in YAML stays the text that it is
    document=yaml.safe_load(LIVE), env={"TAG": "1e3", "TEXT": "0x1f", "MEMORY": "7000001", "CPUS": "1", "N": "2"}
)
def test_release_values_equal_file_values(bench: Any, document: Any, env: dict[str, str]) -> None:
    """render(compile(C), values(E)) == render(compile(C with E substituted), {}), whatever E says."""
    text = dump(document)
    policy_result = bench.policy_result(text, **env)
    assert emit(policy_result).digest == emit(bench.policy_result(text)).digest
    left = normalise(bench.render(emit(policy_result), release_values(policy_result.system)))
    substituted = dump(_substitute(document, env))
    right_woven = bench.policy_result(substituted)
    assert not right_woven.system.variables
    try:
        check_start(policy_result.system)
    except ComposeError as error:  # what a variable brings is refused at the start, and what a file says, in the file
        with pytest.raises(ComposeError, match=f"{len(error.problems)} problem"):
            emit(right_woven)
        return
    right = normalise(bench.render(emit(right_woven), release_values(right_woven.system)))
    assert left == right


def _substitute(node: Any, env: dict[str, str], key: str = "") -> Any:
    """The same document with every variable replaced by what it is worth, as a person would write it."""
    if isinstance(node, dict):
        substituted = {name: _substitute(value, env, name) for name, value in node.items()}
        if key == "environment":
            substituted = {
                name: env.get(name, "").replace("$", "$$") if value is None else value
                for name, value in substituted.items()
                if value is not None or name in env
            }
        return substituted
    if isinstance(node, list):
        return [_substitute(value, env) for value in node]
    return expand(node, env).replace("$", "$$") if isinstance(node, str) else node


def test_normalise_hides_nothing_else(bench: Any) -> None:
    normal = normalise(bench.objects("services: {web: {image: a, environment: {A: x}, labels: {l: x}}}"))
    for change in ("image: b", "image: a, environment: {A: y}", "image: a, environment: {A: x}, labels: {l: y}"):
        assert normalise(bench.objects(f"services: {{web: {{{change}}}}}")) != normal
