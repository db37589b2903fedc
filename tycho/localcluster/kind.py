"""A cluster whose node is a container: kind.sigs.k8s.io, where Docker answers."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence

from tycho.errors import OrchestratorError
from tycho.localcluster.api import Api, kubeconfig, read
from tycho.localcluster.state import State
from tycho.settings import environment
from tycho.toolchain import process
from tycho.toolchain.files import Progress, private_folder, write_private
from tycho.toolchain.programs import tool

PATIENCE = 60.0  # seconds for a stopped node to come back
ASK = 10.0  # seconds for Docker to answer


def answers() -> bool:
    """Whether there is a Docker that does things."""
    docker = shutil.which("docker", path=environment().get("PATH"))
    if not docker:
        return False
    try:
        asked = subprocess.run(
            [docker, "info"], stdin=subprocess.DEVNULL, capture_output=True, timeout=ASK, check=False
        )
    except subprocess.TimeoutExpired:
        return False
    return asked.returncode == 0


def start(state: State, progress: Progress) -> State:
    """Bring a cluster up.

    Args:
        state: What is remembered of it.
        progress: Told what takes time.

    Raises:
        ToolMissing: There is no kind to be had.
        OrchestratorError: kind or Docker failed; what they said is in the message.
    """
    program = str(tool("kind", progress))
    private_folder(state.folder)
    state = state.keep()
    progress(f"starting cluster {state.name} with kind")
    if state.context in _run([program, "get", "clusters"]).split():
        _run(["docker", "start", f"{state.context}-control-plane"])
    else:
        made = ["create", "cluster", "--name", state.context, "--kubeconfig", str(state.kubeconfig), "--wait", "2m"]
        _run([program, *made])
        write_private(state.kubeconfig, kubeconfig(state.context, *read(state.kubeconfig)))
    api = Api.of(state.kubeconfig)
    if not api or not process.until(api.ready, PATIENCE):
        raise OrchestratorError(f"the API server of {state.name} did not become ready in {PATIENCE:g} s")
    return state.keep(version=api.get("/version")["gitVersion"].removeprefix("v"))


def stop(state: State) -> None:
    """Remove a cluster's containers."""
    _run([str(tool("kind")), "delete", "cluster", "--name", state.context, "--kubeconfig", str(state.kubeconfig)])


def load_images(state: State, images: Sequence[str]) -> None:
    """Give a cluster's node images of the Docker engine; those that it has already are not copied again."""
    _run([str(tool("kind")), "load", "docker-image", *images, "--name", state.context])


def _run(argv: Sequence[str]) -> str:
    ran = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if ran.returncode:
        said = "\n".join((ran.stderr or ran.stdout).splitlines()[-process.LAST :])
        raise OrchestratorError(f"{' '.join(argv[:3])} failed:\n{said}")
    return ran.stdout
