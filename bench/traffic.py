"""Many callers of a service at once, in an open loop: who is slow does not slow the others' questions down.

    TRAFFIC_SECONDS=180    how long
    TRAFFIC_REPLICAS=1     services on this machine, over one cluster with a simulated node
    TRAFFIC_KILL=0         seconds after which one of them is killed, and another begun, again and again; 0: never
    TRAFFIC_URLS=          services that run already, instead of these, with TRAFFIC_TOKEN

Counted are answers that are wrong, systems that were started and are not there, and systems that nobody started.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import re
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2

from bench.timing import judged
from tycho import localcluster
from tycho.toolchain import programs

TYCHO = str(Path(sys.executable).with_name("tycho"))
RATE, CALLERS, MOST = 10, 32, 3  # requests a second, of whom, and how many systems each has at most
SYSTEM = {"services": {"web": {"image": "nginx:1", "ports": ["80"]}}}
PATIENCE = 600.0  # seconds that one request may be tried again for, where replicas are killed
RUN = uuid4().hex[:6]


class Replica:
    """A service on this machine."""

    def __init__(self, kubeconfig: Path) -> None:
        env = {**os.environ, "KUBECONFIG": str(kubeconfig), "TYCHO_HELM": str(programs.tool("helm"))}
        self.process = subprocess.Popen([TYCHO, "api", "--port", "0"], stderr=subprocess.PIPE, text=True, env=env)
        assert self.process.stderr
        lines = iter(self.process.stderr)
        self.url = next(match[1] for line in lines if (match := re.search(r"answers at (http://\S+),", line)))
        self._log = threading.Thread(target=lambda: [None for _ in lines])
        self._log.start()

    def memory(self) -> int:
        """Megabytes that it holds."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) >> 10

    async def end(self, number: int) -> None:
        """End it."""
        self.process.send_signal(number)
        await asyncio.to_thread(self.process.wait)
        await asyncio.to_thread(self._log.join)


@dataclass
class Traffic:
    """All that is asked and answered.

    Args:
        urls: Where services are; it changes when one is killed.
        http: Who asks.
        killing: Whether a service may go away in the middle.
    """

    urls: list[str]
    http: httpx2.AsyncClient
    killing: bool
    here: dict[str, str] = field(default_factory=dict)  # system -> caller, once it was answered that it is there
    busy: set[str] = field(default_factory=set)
    wrong: Counter[str] = field(default_factory=Counter)
    times: dict[str, list[float]] = field(default_factory=dict)
    changed: int = 0

    async def ask(self, verb: str, body: dict[str, Any], fine: tuple[int, ...] = (200,)) -> Any:
        """Ask until a service answers; its `result`, and None for an answer that is wrong."""
        begun, tried = time.monotonic(), 0
        while True:
            tried += 1
            url = random.choice(self.urls)
            answer: httpx2.Response | None = None
            code: int | str
            try:
                answer = await self.http.post(f"{url}/system/{verb}", json=body)
                code, again = answer.status_code, answer.status_code in (409, 502, 503, 504)
            except httpx2.HTTPError as error:
                code, again = type(error).__name__, True
            if again and self.killing and time.monotonic() - begun < PATIENCE:
                await asyncio.sleep(0.5)
                continue
            if tried == 1:
                self.times.setdefault(verb, []).append(time.monotonic() - begun)
            if answer is not None and (code in fine or (code == 404 and verb == "delete" and tried > 1)):
                return answer.json()["result"] if code == 200 else {}
            message = answer.json()["message"][:100] if answer is not None else ""
            self.wrong[f"{verb}: {code} {message}"] += 1
            return None

    async def status(self, caller: str) -> None:
        """Look at a caller's systems: all that nobody changes meanwhile are there, and no others."""
        before, mark = {guid for guid, owner in self.here.items() if owner == caller} - self.busy, self.changed
        listed = await self.ask("status", {"username": caller})
        if listed is None:
            return
        seen = {system["sid"] for system in listed}
        after = {guid for guid, owner in self.here.items() if owner == caller} - self.busy
        if before & after - seen:
            self.wrong["status: a system is not told of"] += 1
        if mark == self.changed and seen - before - self.busy:
            self.wrong["status: a system that is not there is told of"] += 1

    async def change(self, caller: str) -> None:
        """Start, modify or stop a system of a caller."""
        mine = [guid for guid, owner in self.here.items() if owner == caller and guid not in self.busy]
        verb = random.choice(["start", "modify", "delete"] if mine else ["start"])
        verb = verb if verb != "start" or len(mine) < MOST else "delete"
        system = uuid4().hex if verb == "start" else random.choice(mine)
        self.busy.add(system)
        self.changed += 1
        named = {"username": caller}
        if verb == "start":
            body = {"name": f"t{RUN}", "tycho-guid": system, "system": SYSTEM, "wait": False, **named}
            if await self.ask("start", body) is not None:
                self.here[system] = caller
        elif verb == "modify":
            cpu = f"0.{random.randrange(1, 9)}"
            await self.ask("modify", {"tycho-guid": system, "cpu": cpu, **named})
        elif await self.ask("delete", {"name": system, **named}) is not None:
            del self.here[system]
        self.changed += 1
        self.busy.discard(system)

    async def run(self, seconds: float) -> None:
        """Ask as often as is wanted, whatever the answers take."""
        callers, begun, asked = [f"caller{number}" for number in range(CALLERS)], time.monotonic(), []
        for number in range(int(seconds * RATE)):
            await asyncio.sleep(max(0.0, begun + number / RATE - time.monotonic()))
            caller = random.choice(callers)
            act = self.status if random.random() < 0.8 else self.change
            asked.append(asyncio.create_task(act(caller)))
        await asyncio.gather(*asked)


async def kill(
    traffic: Traffic, replicas: list[Replica], kubeconfig: Path, interval: float, ended: asyncio.Event
) -> None:
    """Kill one replica after another, and begin a new one; no more once all was asked."""
    while not ended.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), interval)
            return
        victim = replicas.pop(0)
        await victim.end(signal.SIGKILL)
        traffic.urls[:] = [replica.url for replica in replicas]
        replicas.append(await asyncio.to_thread(Replica, kubeconfig))
        traffic.urls[:] = [replica.url for replica in replicas]


@contextlib.contextmanager
def simulated(make: bool) -> Iterator[Path]:
    """A cluster of its own for this run."""
    if not make:
        yield Path()
        return
    name = f"traffic-{os.getpid()}"
    try:
        yield localcluster.create(name, progress=print, provider="native").kubeconfig
    finally:
        localcluster.delete(name)


async def measure(kubeconfig: Path, urls: list[str]) -> int:
    seconds, kill_interval = float(os.environ.get("TRAFFIC_SECONDS", "180")), float(os.environ.get("TRAFFIC_KILL", "0"))
    replicas = [] if urls else [Replica(kubeconfig) for _ in range(int(os.environ.get("TRAFFIC_REPLICAS", "1")))]
    token = os.environ.get("TRAFFIC_TOKEN", "")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with httpx2.AsyncClient(timeout=300, headers=headers, limits=httpx2.Limits(max_connections=None)) as http:
        traffic = Traffic(urls or [replica.url for replica in replicas], http, killing=kill_interval > 0)
        for number in range(50):
            await traffic.status(f"caller{number % CALLERS}")
        idle = statistics.median(traffic.times.pop("status"))
        first = [replica.memory() for replica in replicas]
        ended = asyncio.Event()
        killing = (
            asyncio.create_task(kill(traffic, replicas, kubeconfig, kill_interval, ended)) if kill_interval else None
        )
        await traffic.run(seconds)
        ended.set()
        if killing:
            await killing
        last = [replica.memory() for replica in replicas]
        listed = {system["sid"] for system in await traffic.ask("status", {"name": f"t{RUN}"}) or ()}
        lost, orphaned = traffic.here.keys() - listed, listed - traffic.here.keys()
        for verb, times in sorted(traffic.times.items()):
            middle, late = statistics.median(times), statistics.quantiles(times, n=100)[98] if len(times) > 1 else 0.0
            ratio = f", {middle / idle:.1f} and {late / idle:.1f} times the idle median" if verb == "status" else ""
            print(f"     {verb}: {len(times)}, p50 {middle:.3f} s, p99 {late:.3f} s{ratio}")
        print(f"     wrong: {dict(traffic.wrong) or 0}; lost: {len(lost)}; orphaned: {len(orphaned)}")
        print(f"     memory at first and at last: {first}, {last} MB")
        for replica in replicas:
            await replica.end(signal.SIGTERM)
    late = statistics.quantiles(traffic.times["status"], n=100)[98]
    bad = sum(traffic.wrong.values()) + len(lost) + len(orphaned)
    slow = (
        judged("p99 of status", late, 10 * idle, "10 times its median on the idle service") if not kill_interval else 0
    )
    return slow + (1 if bad else 0)


def main() -> int:
    urls = os.environ.get("TRAFFIC_URLS", "").split()
    with simulated(not urls) as kubeconfig:
        return asyncio.run(measure(kubeconfig, urls))
