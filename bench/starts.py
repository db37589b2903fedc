"""Starts a second by the service, beside a script that makes a namespace and a Lease and runs `helm install`."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import uuid4

from bench.traffic import SYSTEM, Replica
from tycho import localcluster
from tycho.client import AsyncTychoClient
from tycho.kinds import LEASE, NAMESPACE
from tycho.kube.client import KubeClient
from tycho.toolchain import programs

TYCHO = str(Path(sys.executable).with_name("tycho"))
PARALLEL = int(os.environ.get("STARTS_PARALLEL", "4"))
COUNT, ROUNDS = 20, 3
SHARE = 0.8  # of what the script makes
Start = Callable[[], Awaitable[None]]


def main() -> int:
    name = f"starts-{os.getpid()}"
    with tempfile.TemporaryDirectory() as folder:
        kubeconfig = localcluster.create(name, progress=print, provider="native").kubeconfig
        try:
            return asyncio.run(_measure(kubeconfig, Path(folder)))
        finally:
            localcluster.delete(name)


async def _measure(kubeconfig: Path, folder: Path) -> int:
    chart = await asyncio.to_thread(_compile, folder)
    replica = await asyncio.to_thread(Replica, kubeconfig)
    api, helm = KubeClient(str(kubeconfig)), str(programs.tool("helm"))
    try:
        async with AsyncTychoClient(replica.url) as client:

            async def by_service() -> None:
                await client.start({"name": "many", "system": SYSTEM, "wait": False})

            async def by_script() -> None:
                release = f"many-{uuid4().hex[:8]}"
                await api.create(NAMESPACE.path(), {"metadata": {"name": release}})
                await api.create(LEASE.path(release), {"metadata": {"name": release}, "spec": {"holderIdentity": "me"}})
                await _run(helm, "install", release, str(chart), "-n", release, "--kubeconfig", str(kubeconfig))

            await asyncio.gather(by_service(), by_script())
            rates: dict[str, list[float]] = {"the service": [], "the script": []}
            for _ in range(ROUNDS):
                for who, start in (("the service", by_service), ("the script", by_script)):
                    rates[who].append(await _count(start))
    finally:
        api.close()
        await replica.end(15)
    ours, theirs = (sorted(each)[ROUNDS // 2] for each in rates.values())
    late = ours < SHARE * theirs
    print(f"     {COUNT} starts, {PARALLEL} at a time, median of {ROUNDS}: {ours:.2f} and {theirs:.2f} a second")
    print(f"{'LATE' if late else 'ok  '} the service makes {ours / theirs:.2f} of the script's (promised {SHARE})")
    return int(late)


async def _count(start: Start) -> float:
    """Return how many are made in a second."""
    turns = asyncio.Semaphore(PARALLEL)

    async def start_in_turn() -> None:
        async with turns:
            await start()

    begun = time.monotonic()
    await asyncio.gather(*(start_in_turn() for _ in range(COUNT)))
    return COUNT / (time.monotonic() - begun)


async def _run(*argv: str) -> None:
    process = await asyncio.create_subprocess_exec(*argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    _, error = await process.communicate()
    if process.returncode:
        raise SystemExit(error.decode(errors="replace")[-2000:])


def _compile(folder: Path) -> Path:
    """Compile the same system into a chart in a folder."""
    import yaml

    file = folder / "compose.yaml"
    file.write_text(yaml.safe_dump({"name": "many", **SYSTEM}))
    subprocess.run([TYCHO, "compile", "-f", file, "-o", folder / "chart"], capture_output=True, check=True)
    return folder / "chart"
