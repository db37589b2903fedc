"""Objects that policies add, in the chart and through the real helm."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from tests.policies.applying import policy_result
from tycho import emit
from tycho.errors import PolicyError

SHOP = """
services:
  web_1: {image: "nginx:${TAG:-1}", labels: {evil: "{{ lookup }}"}}
  db: {image: postgres}
"""
POLICY = "description: A map of each.\nmatch: {name: web*}\nemit: map.yaml.j2\n"
TEMPLATE = """<%# A comment. Context: all of it. %>
apiVersion: v1
kind: ConfigMap
metadata:
  name: <%= object_name(slug ~ "-map") %>
  labels:
    {{- include <%= h.labels %> (dict "component" "<%= slug %>" "context" .) | nindent 4 }}
data:
  <% for key in service.labels | sort %>
  <%= key %>: <%= service.labels[key] | text %>
  <% endfor %>
  image: {{ include <%= h.interpolate %> (dict "text" <%= ref("services", name) %>.image.tag "context" .) | quote }}
  of: <%= system.name %>
"""


def compiled(at: Path, template: str, **env: str) -> dict[str, str | bytes]:
    return dict(emit(policy_result(at, SHOP, {"50-map.yaml": POLICY, "map.yaml.j2": template}, **env)).files)


def test_emit_makes_object_per_selected_service(tmp_path: Path, helm: Path) -> None:
    chart = emit(policy_result(tmp_path, SHOP, {"50-map.yaml": POLICY, "map.yaml.j2": TEMPLATE}, TAG="7"))
    assert [path for path in chart.files if path.startswith("templates/policies/")] == [
        "templates/policies/web-1-50-map.yaml"
    ]
    chart.write(tmp_path / "chart")
    arguments = [helm, "template", "r", tmp_path / "chart", "--set", "variables.TAG=9"]
    done = subprocess.run(arguments, capture_output=True, check=True)
    (emitted,) = [
        document
        for document in yaml.safe_load_all(done.stdout)
        if document and document["metadata"]["name"] == "r-web-1-map"
    ]
    assert emitted["data"] == {"evil": "{{ lookup }}", "image": "9", "of": "shop"}
    assert emitted["metadata"]["labels"]["app.kubernetes.io/component"] == "web-1"


def test_one_object_for_the_system(tmp_path: Path) -> None:
    files = {
        "50-quota.yaml": "description: Q.\nsystem: {emit: quota.yaml.j2}\n",
        "quota.yaml.j2": "of: <%= system.name %>\n",
    }
    result = policy_result(tmp_path, SHOP, files)
    assert emit(result).files["templates/policies/50-quota.yaml"] == "of: shop\n"
    assert policy_result(tmp_path, SHOP, files | {"quota.yaml.j2": "other"}).digest != result.digest


def test_the_environment_is_not_in_it(tmp_path: Path) -> None:
    path = "templates/policies/web-1-50-map.yaml"
    assert compiled(tmp_path, TEMPLATE, TAG="7")[path] == compiled(tmp_path, TEMPLATE)[path]


@pytest.mark.parametrize(
    ("template", "line", "message"),
    [
        ("a: 1\n<% if %>\n", 2, "Expected an expression"),
        ("a: 1\nb: 2\nc: <%= nobody %>\n", 3, "'nobody' is undefined"),
        ("a: <%= service.labels.evil %>\n", 1, "text that Helm evaluates"),
        ("a:\n  <%= service.image %>\n", 2, "nginx:${TAG:-1} differs between releases"),
        ("a:\n  <%= service.image | text %>\n", 2, "nginx:${TAG:-1} differs between releases"),
    ],
)
def test_broken_template_names_line(template: str, line: int, message: str, tmp_path: Path) -> None:
    with pytest.raises(PolicyError) as broken:
        compiled(tmp_path, template)
    (problem,) = broken.value.problems
    assert (problem.file, problem.line) == (str(tmp_path / "ours" / "map.yaml.j2"), line)
    assert problem.message.startswith(message)
