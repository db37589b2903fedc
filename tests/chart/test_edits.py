"""Ten edits that people make in a chart, each one line of `--set`."""

from __future__ import annotations

from typing import Any

import pytest

SYSTEM = """
services:
  web: {image: "registry.example/shop/web:1", ports: ["8080:80"], environment: {MODE: slow}, volumes: ["goods:/goods"]}
  db: {image: "postgres:16"}
volumes: {goods: {}}
"""
POD = ("spec", "template", "spec")


def pick(objects: Any, kind: str, name: str, *path: Any) -> Any:
    node: Any = objects.find(kind, name)
    for step in path:
        node = node[step]
    return node


EDITS = {
    "services.web.image.tag=2": (
        ("Deployment", "rel-web", *POD, "containers", 0, "image"), "registry.example/shop/web:2",
    ),
    "global.imageRegistry=mirror.local:5000": (
        ("Deployment", "rel-web", *POD, "containers", 0, "image"), "mirror.local:5000/shop/web:1",
    ),
    "services.web.replicas=3": (("Deployment", "rel-web", "spec", "replicas"), 3),
    "services.web.podAnnotations.x=y": (
        ("Deployment", "rel-web", "spec", "template", "metadata", "annotations", "x"), "y",
    ),
    "defaults.nodeSelector.disk=ssd": (("Deployment", "rel-db", *POD, "nodeSelector"), {"disk": "ssd"}),
    "services.web.resources.limits.memory=64Mi": (
        ("Deployment", "rel-web", *POD, "containers", 0, "resources"), {"limits": {"memory": "64Mi"}},
    ),
    "services.web.env.X=1": (("Deployment", "rel-web", *POD, "containers", 0, "env", 1), {"name": "X", "value": "1"}),
    "persistence.goods.existingClaim=theirs": (
        ("Deployment", "rel-web", *POD, "volumes", 0, "persistentVolumeClaim"), {"claimName": "theirs"},
    ),
    "services.web.ingress.enabled=true": (
        ("Ingress", "rel-web", "spec", "rules", 0, "http", "paths", 0, "backend", "service"),
        {"name": "web", "port": {"number": 80}},
    ),
    "services.web.service.type=NodePort": (("Service", "rel-web-published", "spec", "type"), "NodePort"),
}  # fmt: skip


@pytest.fixture(scope="module")
def chart(bench: Any) -> Any:
    return bench.chart(SYSTEM)


@pytest.mark.parametrize("edit", EDITS)
def test_one_line_of_set(bench: Any, chart: Any, edit: str) -> None:
    path, expected = EDITS[edit]
    assert pick(bench.render(chart, {}, "--set", edit), *path) == expected


def test_an_image_of_another_registry_keeps_its_path(bench: Any, chart: Any) -> None:
    objects = bench.render(chart, {}, "--set", "global.imageRegistry=mirror.local/hub")
    assert objects.container("rel-db")["image"] == "mirror.local/hub/postgres:16"
    fill = objects.pod("rel-web")["initContainers"][0]
    assert fill["image"] == "mirror.local/hub/library/busybox:1.36"


def test_chart_yaml_says_what_the_file_does(bench: Any) -> None:
    import yaml

    extension = """
x-tycho:
  chart:
    appVersion: "7.1"
    home: https://shop.example
    keywords: [shop]
    maintainers: [{name: Ann, email: ann@shop.example}]
    license: MIT
"""
    page = yaml.safe_load(bench.chart(SYSTEM + extension).files["Chart.yaml"])
    assert (page["appVersion"], page["home"], page["keywords"]) == ("7.1", "https://shop.example", ["shop"])
    assert page["maintainers"] == [{"name": "Ann", "email": "ann@shop.example"}]
    assert page["annotations"]["artifacthub.io/license"] == "MIT"
    plain = yaml.safe_load(bench.chart(SYSTEM).files["Chart.yaml"])
    assert (plain["appVersion"], plain["keywords"]) == ("1", ["web", "postgres"])
