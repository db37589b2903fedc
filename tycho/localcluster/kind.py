"""A cluster whose node is a container: kind.sigs.k8s.io, where Docker answers."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from contextlib import closing

from tycho.errors import OrchestratorError
from tycho.kube.client import KubeClient
from tycho.kube.kubeconfig import rename_context
from tycho.localcluster.state import State
from tycho.settings import environment
from tycho.toolchain import process
from tycho.toolchain.files import Progress, private_folder, write_private
from tycho.toolchain.programs import tool

TIMEOUT = 60.0  # seconds for a stopped node to come back
ANSWER = 10.0  # seconds for Docker to answer


def answers() -> bool:
    """Return whether there is a Docker engine that answers."""
    docker = shutil.which("docker", path=environment().get("PATH"))
    if not docker:
        return False
    try:
        completed = subprocess.run(
            [docker, "info"], stdin=subprocess.DEVNULL, capture_output=True, timeout=ANSWER, check=False
        )
    except subprocess.TimeoutExpired:
        return False
    return completed.returncode == 0


def start(state: State, progress: Progress) -> State:
    """Bring a cluster up.

    Args:
        state: What is remembered of it.
        progress: Told what takes time.

    Raises:
        ToolMissing: There is no kind to be had.
        OrchestratorError: kind or Docker failed; their messages are in the error's.
    """
    program = str(tool("kind", progress))
    private_folder(state.folder)
    state = state.save()
    progress(f"starting cluster {state.name} with kind")
    if state.context in _run([program, "get", "clusters"]).split():
        _run(["docker", "start", f"{state.context}-control-plane"])
    else:
        options = ["--name", state.context, "--kubeconfig", str(state.kubeconfig), "--wait", "2m"]
        _run([program, "create", "cluster", *options])
        write_private(state.kubeconfig, rename_context(state.kubeconfig, state.context))
    with closing(KubeClient(str(state.kubeconfig))) as client:
        if not process.until(client.is_ready, TIMEOUT):
            raise OrchestratorError(f"the API server of {state.name} did not become ready in {TIMEOUT:g} s")
        return state.save(client.request("GET", "/version")["gitVersion"].removeprefix("v"))


def stop(state: State) -> None:
    """Remove a cluster's containers."""
    _run([str(tool("kind")), "delete", "cluster", "--name", state.context, "--kubeconfig", str(state.kubeconfig)])


def load_images(state: State, images: Sequence[str]) -> None:
    """Give a cluster's node images of the Docker engine; those that it has already are not copied again."""
    _run([str(tool("kind")), "load", "docker-image", *images, "--name", state.context])


def _run(argv: Sequence[str]) -> str:
    completed = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if completed.returncode:
        last_lines = "\n".join((completed.stderr or completed.stdout).splitlines()[-process.LAST :])
        raise OrchestratorError(f"{' '.join(argv[:3])} failed:\n{last_lines}")
    return completed.stdout
