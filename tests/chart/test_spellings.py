"""Nothing that Tycho lets pass without a grant is refused by a namespace that enforces Pod Security's `baseline`."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.chart.spellings import PLACES, Spelling, documents, keep_able
from tests.chart.test_cluster import Server, listed
from tycho.chart import Chart, emit, release_values
from tycho.chart.podsecurity import find_pod
from tycho.compose import Sources, load
from tycho.errors import ComposeError, PolicyDenied, Problem
from tycho.model import PolicyResult
from tycho.policy import apply_policies

pytestmark = pytest.mark.xdist_group("chart-cluster")
STRICTER = Path(__file__).with_name("stricter.txt")
EVERYTHING = 'description: All.\nadd: {x-tycho: {grants: ["*"], hostPaths: [/var/run/docker.sock]}}\n'
ELSEWHERE = {"serviceAccountName", "runtimeClassName"}


def compiled(
    folder: Path, place: str, spellings: Sequence[Spelling], policies: tuple[Path, ...] = ()
) -> tuple[PolicyResult, Chart]:
    files, env = PLACES[place](spellings)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    paths = [str(folder / name) for name in files if name.startswith("compose")]
    policy_result = apply_policies(
        load(Sources.from_disk(paths, env=env, name="demo", cwd=str(folder))), folders=policies
    )
    return policy_result, emit(policy_result)


@pytest.fixture(scope="module")
def passing(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[bool, list[Spelling]]]:
    """What passes and what does not, place by place; each asked for in a document of its own."""
    root = tmp_path_factory.mktemp("spellings")
    by_place: dict[str, dict[bool, list[Spelling]]] = {place: {True: [], False: []} for place in PLACES}
    for number, (place, spelling) in enumerate(documents()):
        problems = refusals(root / str(number), place, spelling)
        assert problems is None or problems, spelling
        by_place[place][problems is None].append(spelling)
    return by_place


def refusals(folder: Path, place: str, spelling: Spelling) -> list[Problem] | None:
    """What is said against one document; None when it passes. Policies always say what to do."""
    try:
        compiled(folder, place, [spelling])
    except ComposeError as error:
        return list(error.problems)
    except PolicyDenied as error:
        return [problem for problem in error.problems if problem.hint]
    return None


def pods(bench: Any, policy_result: PolicyResult, chart: Chart, prefix: str) -> list[dict[str, Any]]:
    """The pods that a chart makes, with their annotations, and without accounts and classes that are not there."""
    made = []
    for rendered in bench.render(chart, release_values(policy_result.system)):
        pod = find_pod(rendered)
        if pod is None or rendered["kind"] == "Pod":
            continue
        spec = {key: value for key, value in pod["spec"].items() if key not in ELSEWHERE}
        metadata = {"name": f"{prefix}-{rendered['metadata']['name']}", "annotations": pod["metadata"]["annotations"]}
        made.append(
            {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {**spec, "restartPolicy": "Never"}}
        )
    return made


def test_what_passes_is_accepted(
    bench: Any, kubeconfig: Path, tmp_path: Path, passing: dict[str, dict[bool, list[Spelling]]]
) -> None:
    """Those that Tycho refuses are asked for again with everything granted: what the server accepts is listed."""
    assert sum(len(spellings) for answers in passing.values() for spellings in answers.values()) >= 200
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "80-all.yaml").write_text(EVERYTHING)
    accepted: list[dict[str, Any]] = []
    granted: list[dict[str, Any]] = []
    asked: dict[str, str] = {}
    for place, answers in passing.items():
        accepted += pods(bench, *compiled(tmp_path / place, place, answers[True]), place)
        folder, policies = tmp_path / f"{place}-all", tmp_path / "policies"
        able = keep_able(answers[False], partial(compiled, folder, place, policies=(policies,)))
        granted += pods(bench, *compiled(folder, place, able, policies=(policies,)), f"{place}-all")
        asked |= {f"{place}-all-rel-c{index}": f"{place}: {spelling.name}" for index, spelling in enumerate(able)}
    server = Server(kubeconfig)
    namespace = f"{server.namespace}-spelled"
    server.run("create", "namespace", namespace)
    server.run("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=baseline")
    args = ("--namespace", namespace, "--server-side", "--dry-run=server", "-f", "-")
    try:
        assert server.run("apply", *args, stdin=listed(accepted)) == ""
        refused = re.findall(
            r'pods "?([a-z0-9-]+)"?|Pod "([a-z0-9-]+)"', server.run("apply", *args, stdin=listed(granted))
        )
    finally:
        server.run("delete", "namespace", namespace, "--wait=false")
    names = {match[0] or match[1] for match in refused}
    stricter = sorted(name for pod, name in asked.items() if not any(_is_pod_of(match, pod) for match in names))
    if os.environ.get("TYCHO_GOLDEN"):
        STRICTER.write_text("".join(f"{line}\n" for line in stricter), encoding="utf-8")
    assert len(accepted) > 60
    assert len(refused) > 60
    assert STRICTER.read_text(encoding="utf-8").splitlines() == stricter


def _is_pod_of(name: str, workload: str) -> bool:
    """Tell whether a pod is the one of a workload; a job's name ends with a hash."""
    return re.fullmatch(rf"{re.escape(workload)}(-[0-9a-f]{{8}})?", name) is not None
