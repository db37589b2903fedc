"""Large systems: a release is kept in one Secret, and its size is known before."""

from __future__ import annotations

import asyncio
import gzip
import json
from base64 import b64encode
from hashlib import shake_256
from pathlib import Path
from typing import Any

import pytest

from bench._systems import system as write_system
from tests.chart.conftest import Bench
from tycho.chart import Chart, emit
from tycho.compose import Sources, load
from tycho.errors import OrchestratorError
from tycho.model import Expr, PolicyResult, Port, Project, Service, Variable
from tycho.orchestrators import Instance, Target, get
from tycho.policy import apply_policies
from tycho.release import Identity


def large(count: int, variables: int) -> Chart:
    services = {
        f"service-{index}": Service(
            image=f"registry.example/app-{index}:1.{index}",
            ports=(Port(target=8080, published=str(10_000 + index)),),
            environment={f"VARIABLE_{n}_{index}": Expr("x", f"${{SHARED_{n}:-{index}}}") for n in range(variables)},
        )
        for index in range(count)
    }
    shared = {f"SHARED_{n}": Variable(name=f"SHARED_{n}", places=()) for n in range(variables)}
    return emit(PolicyResult(system=Project(name="large", services=services, variables=shared)))


def test_three_hundred_services_fit() -> None:
    assert large(300, 10).weight < 1024 * 1024 // 2


def test_too_large_chart_is_refused_first(tmp_path: Any) -> None:
    orchestrator = get("helm", Target(kubeconfig=str(tmp_path / "none")))
    identity = Identity(guid="0" * 32, name="large", release="large-0", namespace="large-0")
    heavy = Chart("large", "1.0.0", {"files/noise": shake_256(b"noise").digest(600_000)})
    with pytest.raises(OrchestratorError, match="helm has room for 1024"):
        asyncio.run(orchestrator.up(heavy, Instance(identity, Project(name="large"))))


def test_a_chart_grows_with_its_services_alone() -> None:
    """Twice the services are twice the files: nothing is said of pairs of them."""
    small, big = (sum(len(content) for content in large(count, 2).files.values()) for count in (100, 200))
    assert big < 2.1 * small


def test_a_release_of_many_services_has_room(bench: Bench, tmp_path: Path) -> None:
    """Helm keeps it in one Secret: a release as JSON, compressed, and twice in base64."""
    path = write_system(str(tmp_path), 500)
    chart = emit(apply_policies(load(Sources.from_disk([path], env={}))))
    archive = tmp_path / "chart.tgz"
    archive.write_bytes(chart.archive())
    done = bench.program("install", "many", str(archive), "--dry-run=client", "--output=json")
    assert done.returncode == 0, done.stderr
    release = json.dumps(json.loads(done.stdout), separators=(",", ":"), ensure_ascii=False).encode()
    assert len(b64encode(b64encode(gzip.compress(release)))) <= 540_000
