"""Others change what runs: which fields are not the release's any more, by whom, and how they are taken back."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.orchestrators.conftest import QUICK, Kubectl, compiled
from tycho.errors import Conflict
from tycho.lifecycle import Lifecycle
from tycho.modification import Modification, ServiceChange
from tycho.orchestrators import WaitOptions

pytestmark = pytest.mark.xdist_group("cluster")
Tell = Callable[..., Any]
AT_ONCE = WaitOptions(wait=False)

SERVICES: dict[str, Any] = {
    "web": {"image": "nginx:1", "ports": ["80"], "environment": {"LEVEL": "info", "API_TOKEN": "planted-1"}},
    "db": {"image": "postgres:16", "deploy": {"resources": {"limits": {"cpus": "1.0"}}}},
}
LEVEL = "spec.template.spec.containers[web].env[LEVEL].value"


def test_drift_names_fields_and_managers(tell: Tell, shared: str, kubectl: Kubectl) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        made = compiled(lifecycle, SERVICES)
        release = await lifecycle.up(made, wait_options=QUICK)
        guid, name = release.identity.guid, release.identity.release
        assert await lifecycle.drift(guid) == ()  # what the API server and controllers add is no drift
        kubectl("scale", "deployment", f"{name}-web", "--replicas=3", "-n", shared)
        kubectl("set", "env", f"deployment/{name}-web", "LEVEL=debug", "MORE=1", "-n", shared)
        drifts = {(drift.kind, drift.path): drift for drift in await lifecycle.drift(guid)}
        assert set(drifts) == {("Deployment", "spec.replicas"), ("Deployment", LEVEL)}
        scaled, edited = drifts["Deployment", "spec.replicas"], drifts["Deployment", LEVEL]
        assert (scaled.live, scaled.manifest, scaled.manager) == ("3", "1", "kubectl")
        assert (edited.live, edited.manifest, edited.manager) == ("debug", "info", "kubectl-set")
        assert (edited.kind, edited.name) == ("Deployment", f"{name}-web")

    tell(story, shared)


def test_what_others_changed_is_taken_back_by_force_alone(tell: Tell, shared: str, kubectl: Kubectl) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        release = await lifecycle.up(compiled(lifecycle, SERVICES), wait_options=QUICK)
        guid, name = release.identity.guid, release.identity.release
        kubectl("scale", "deployment", f"{name}-web", "--replicas=3", "-n", shared)
        kubectl(
            "patch", "secret", f"{name}-web-env", "-n", shared, "--patch", '{"stringData": {"API_TOKEN": "planted-2"}}'
        )
        kubectl("delete", "service", "-n", shared, "-l", "app.kubernetes.io/component=web", "--wait=false")
        drifts = await lifecycle.drift(guid)
        assert "Service" in {drift.kind for drift in drifts if not drift.path}
        assert "planted" not in "".join(drift.model_dump_json() for drift in drifts)
        newer = compiled(lifecycle, {**SERVICES, "web": {**SERVICES["web"], "image": "nginx:2"}})
        with pytest.raises(Conflict, match=r"kubectl\S* has changed") as error:
            await lifecycle.up(newer, wait_options=QUICK)
        assert "--force-conflicts" in error.value.hint
        await lifecycle.up(newer, force_conflicts=True, wait_options=QUICK)
        assert await lifecycle.drift(guid) == ()
        assert kubectl("get", "deployment", f"{name}-web", "-n", shared, "-o", "jsonpath={.spec.replicas}") == "1"
        again = await lifecycle.up(newer, force_conflicts=True, wait_options=QUICK)
        assert again.notes == (f"one is up to date (revision {again.revision})",)
        kubectl("scale", "deployment", f"{name}-db", "--replicas=2", "-n", shared)
        same = await lifecycle.up(newer, force_conflicts=True, wait_options=QUICK)
        assert f"took back Deployment {name}-db" in same.notes

    tell(story, shared)


def test_up_undoes_a_plain_helm_upgrade(
    tell: Tell, shared: str, kubectl: Kubectl, kubeconfig: Path, helm: Path, tmp_path: Path
) -> None:
    """Helm keeps the labels of the revision before, which say of what it was made: the values themselves count."""

    async def story(lifecycle: Lifecycle) -> None:
        made = compiled(lifecycle, SERVICES)
        release = await lifecycle.up(made, wait_options=QUICK)
        name = release.identity.release
        made.artifact.write(tmp_path / "chart")
        argv = [helm, "upgrade", name, tmp_path / "chart", "-n", shared, "--kubeconfig", kubeconfig]
        argv += ["--reuse-values", "--set", "services.db.replicas=2"]
        await asyncio.to_thread(subprocess.run, argv, check=True, capture_output=True)
        assert await lifecycle.drift(release.identity.guid) == ()
        comparison = await lifecycle.diff(made)
        assert [change.words for change in comparison.changes] == ["db: deploy.replicas 2 → 1"]
        history = await lifecycle.history(release.identity.guid)
        assert history[-1].changes == ("db: deploy.replicas 1 → 2",)
        assert (await lifecycle.up(made, wait_options=QUICK)).revision == 3
        assert kubectl("get", "deployment", f"{name}-db", "-n", shared, "-o", "jsonpath={.spec.replicas}") == "1"
        assert (await lifecycle.up(made, wait_options=QUICK)).notes == ("one is up to date (revision 3)",)

    tell(story, shared)


def change(lifecycle: Lifecycle, verb: str, guid: str, options: WaitOptions) -> Awaitable[Any]:
    """Have a verb write how many replicas there are."""
    match verb:
        case "modify":
            modification = Modification(services={"web": ServiceChange(replicas=2)})
            return lifecycle.modify(guid, modification, wait_options=options)
        case "scale":
            return lifecycle.scale(guid, {"web": 2}, wait_options=options)
        case "stop":
            return lifecycle.stop(guid, ["web"], wait_options=options)
        case "pause":
            return lifecycle.pause(guid, wait_options=options)
        case _:
            return lifecycle.rollback(guid, 1, wait_options=options)


@pytest.mark.parametrize("verb", ["modify", "scale", "stop", "pause", "rollback"])
def test_each_change_takes_back_by_force_alone(tell: Tell, shared: str, kubectl: Kubectl, verb: str) -> None:
    """What somebody else has set is left to him, and the error names the option; with it the verb does its work."""

    async def story(lifecycle: Lifecycle) -> None:
        release = await lifecycle.up(compiled(lifecycle, SERVICES), wait_options=AT_ONCE)
        guid, deployment = release.identity.guid, f"{release.identity.release}-web"
        if verb == "rollback":
            await lifecycle.scale(guid, {"web": 4}, wait_options=AT_ONCE)
        kubectl("scale", "deployment", deployment, "--replicas=3", "-n", shared)
        with pytest.raises(Conflict, match=r"kubectl\S* has changed \.spec\.replicas") as error:
            await change(lifecycle, verb, guid, AT_ONCE)
        assert error.value.hint.startswith("--force-conflicts takes it back")
        assert kubectl("get", "deployment", deployment, "-n", shared, "-o", "jsonpath={.spec.replicas}") == "3"
        await change(lifecycle, verb, guid, replace(AT_ONCE, force_conflicts=True))
        expected = {"modify": "2", "scale": "2", "rollback": "1"}.get(verb, "0")
        assert kubectl("get", "deployment", deployment, "-n", shared, "-o", "jsonpath={.spec.replicas}") == expected
        if verb in ("stop", "pause"):
            kubectl("scale", "deployment", deployment, "--replicas=3", "-n", shared)
            back = (lambda options: lifecycle.resume(guid, wait_options=options)) if verb == "pause" else (
                lambda options: lifecycle.start(guid, ["web"], wait_options=options)
            )  # fmt: skip
            with pytest.raises(Conflict, match="has changed"):
                await back(AT_ONCE)
            await back(replace(AT_ONCE, force_conflicts=True))
            assert kubectl("get", "deployment", deployment, "-n", shared, "-o", "jsonpath={.spec.replicas}") == "1"

    tell(story, shared)
