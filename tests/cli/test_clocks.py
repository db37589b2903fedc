"""Clocks ten minutes ahead of the cluster's, or behind: verbs agree, and tables count by the cluster's.

The processes see another time than the API server: a library between them and the system moves the clock of dates, and
leaves alone the one by which durations are measured, as a machine whose time is set wrong has it.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from tests.cli.conftest import TYCHO, Run

pytestmark = pytest.mark.xdist_group("cluster")
MOVES = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
int clock_gettime(clockid_t id, struct timespec *now) {
  int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
  int failed = real(id, now);
  if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE) now->tv_sec += atol(getenv("AHEAD"));
  return failed;
}
time_t time(time_t *place) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (place) *place = now.tv_sec;
  return now.tv_sec;
}
int gettimeofday(struct timeval *place, void *zone) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  place->tv_sec = now.tv_sec;
  place->tv_usec = now.tv_nsec / 1000;
  return 0;
}
"""
MINUTES = 10
WEB = "name: timely\nservices: {web: {image: nginx, ports: ['80']}}\n"
NEVER = WEB.replace("nginx,", "nginx, annotations: {tycho.dev/simulate: NotReady},")
Machine = Callable[[int], dict[str, str]]


@pytest.fixture
def machine(tmp_path: Path, env: dict[str, str]) -> Machine:
    """What a shell holds on another machine, whose clock is so many minutes ahead."""
    compiler = shutil.which("cc")
    if not compiler:
        pytest.skip("NO OTHER CLOCK: cc is not installed")
    (tmp_path / "clock.c").write_text(MOVES)
    library = tmp_path / "clock.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, tmp_path / "clock.c", "-ldl"], check=True)

    def make(minutes: int) -> dict[str, str]:
        folder = tmp_path / f"machine{minutes}"  # by whose folder nobody else knows what lives there
        folder.mkdir(exist_ok=True)
        return {**env, "LD_PRELOAD": str(library), "AHEAD": str(minutes * 60), "TMPDIR": str(folder)}

    return make


@pytest.mark.parametrize("ahead", [MINUTES, -MINUTES])
def test_ages_and_ends_are_the_clusters(tycho: Run, tool: Run, machine: Machine, folder: Path, ahead: int) -> None:
    (folder / "compose.yaml").write_text(WEB)
    tycho("up", "--ttl", "1h", cwd=folder, **machine(ahead))
    for minutes in (ahead, -ahead):
        wide = tycho("status", "--services", "-o", "wide", cwd=folder, **machine(minutes)).stdout.splitlines()
        cells = dict(zip(re.split(r"\s{2,}", wide[0]), re.split(r"\s{2,}", wide[1]), strict=False))
        assert re.fullmatch(r"1 ?h|5[5-9] ?m.*", cells["EXPIRES IN"])
        assert re.fullmatch(r"[0-9]+s|[1-4]m.*", cells["AGE"])
        assert "no system's time is over" in tycho("reap", "--dry-run", cwd=folder, **machine(minutes)).stderr
    (system,) = json.loads(tycho("status", "-o", "json", cwd=folder, **machine(-ahead)).stdout)
    listed = tool("kubectl", "get", "namespace", system["namespace"], "-o", "jsonpath={.metadata.creationTimestamp}")
    made = datetime.fromisoformat(system["creation_time"]) - datetime.fromisoformat(listed.stdout)
    assert abs(made.total_seconds()) < MINUTES * 60 / 2


def test_two_at_once_are_one_system(tycho: Run, machine: Machine, folder: Path) -> None:
    (folder / "compose.yaml").write_text(WEB)
    starts = [
        subprocess.Popen([TYCHO, "up"], cwd=folder, env=machine(minutes), stderr=subprocess.PIPE, text=True)
        for minutes in (MINUTES, -MINUTES)
    ]
    ended = [(start.communicate()[1], start.returncode) for start in starts]
    assert sorted(code for _, code in ended) in ([0, 0], [0, 34]), ended
    (system,) = json.loads(tycho("status", "-o", "json", cwd=folder).stdout)
    assert (system["state"], system["is_ready"]) == ("deployed", True)


@pytest.mark.parametrize("ahead", [MINUTES, -MINUTES])
def test_a_removal_ends_a_wait(tycho: Run, machine: Machine, folder: Path, ahead: int) -> None:
    (folder / "compose.yaml").write_text(NEVER)
    waiting = subprocess.Popen([TYCHO, "up"], cwd=folder, env=machine(ahead), stderr=subprocess.PIPE, text=True)
    while not any(system["state"] == "deployed" for system in json.loads(tycho("status", "-o", "json").stdout)):
        assert waiting.poll() is None
    tycho("down", cwd=folder, **machine(-ahead))
    stderr = waiting.communicate()[1]
    assert waiting.returncode == 34, stderr
    assert "is being removed by somebody else" in stderr
    assert json.loads(tycho("status", "-o", "json").stdout) == []
