"""A real Docker engine in the room, beside the node: in a network of its own, below the room's control group.

    room ── veth ── engine (dockerd, its bridges and rules) ── veth ── caller

So neither sees the other's bridges, rules or addresses. A caller stands outside of the engine as one does of the node.
"""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import processes as process
from tests.compose.oracle import program as compose
from tests.e2e.room import ROOM, group

HOME = ROOM / "engine"
SOCKET = HOME / "docker.sock"
HOST = "203.0.113.1"  # where a caller outside finds the engine
PATIENCE = 10.0  # seconds that it has to end what runs in it
CALLER = "203.0.113.10"
BIN = HOME / "bin"
INIT = "/usr/bin/tini-static"  # what `init: true` puts before a program
NETWORK = f"""
set -e
ip netns add engine
ip netns add caller
ip -n engine link set lo up
ip -n caller link set lo up
ip -n engine link add outside0 type veth peer name eth0 netns caller
ip -n engine address add {HOST}/24 dev outside0
ip -n engine link set outside0 up
ip -n caller address add {CALLER}/24 dev eth0
ip -n caller link set eth0 up
ip -n caller route add default via {HOST}
"""
LEAVE = """
ip netns delete engine
ip netns delete caller
"""
ALONE = threading.Lock()  # held while an engine runs: it has its folder, its networks and its addresses to itself
# Names of this machine's own resolver mean nothing in there, and nobody answers: the node has none either.
START = """
mount --bind "$1" /etc/resolv.conf
exec nsenter --net=/run/netns/engine dockerd --config-file "$2"
"""


class Local(http.client.HTTPConnection):
    """HTTP over the engine's socket."""

    def connect(self) -> None:
        """Connect to the socket instead of a port."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(SOCKET))


@dataclass(slots=True)
class Engine:
    """The engine.

    Args:
        daemon: Its process; None before it starts.
    """

    daemon: Any

    def ask(self, method: str, path: str, body: Any = None, kind: str = "application/json") -> Any:
        """Ask the engine's API; it must succeed."""
        content = json.dumps(body) if kind == "application/json" and body is not None else body
        text = self.read(method, path, content, kind)
        return json.loads(text) if text.startswith((b"{", b"[")) and b"\n{" not in text else text.decode()

    def read(self, method: str, path: str, content: Any = None, kind: str = "application/json") -> bytes:
        """Ask the engine's API for what is no JSON; it must succeed."""
        connection = Local("docker", timeout=120)
        try:
            connection.request(method, path, content, {"Content-Type": kind} if content is not None else {})
            answer = connection.getresponse()
            text = answer.read()
            assert answer.status < http.client.BAD_REQUEST, f"{method} {path}: {text.decode()}"
            return text
        finally:
            connection.close()

    def stream(self, method: str, path: str, body: Any = None, *, plain: bool = False) -> dict[int, str]:
        """Read streams that the engine lays into one another: 1 is stdout, 2 is stderr, and 0 both in their order."""
        connection = Local("docker", timeout=120)
        try:
            content = None if body is None else json.dumps(body)
            connection.request(method, path, content, {"Content-Type": "application/json"} if content else {})
            response = connection.getresponse()
            raw = response.read()
            assert response.status < http.client.BAD_REQUEST, f"{method} {path}: {raw.decode()}"
        finally:
            connection.close()
        streams = {0: raw if plain else b"", 1: raw if plain else b"", 2: b""}
        while raw and not plain:
            number, length = raw[0], int.from_bytes(raw[4:8], "big")
            for each in (0, number):
                streams[each] += raw[8 : 8 + length]
            raw = raw[8 + length :]
        return {number: text.decode(errors="replace") for number, text in streams.items()}

    def compose(self, folder: Path, *words: str, timeout: float = 180) -> subprocess.CompletedProcess[str]:
        """Run Docker Compose in a folder, however it ends."""
        env = {"HOME": str(HOME), "PATH": "/usr/bin:/bin", "DOCKER_HOST": f"unix://{SOCKET}"}
        argv = [compose(), "--progress", "quiet", *words]
        return subprocess.run(argv, cwd=folder, env=env, check=False, capture_output=True, text=True, timeout=timeout)

    def stop(self) -> None:
        """End it, with all that it runs, so that another one can start."""
        if self.daemon:
            process.stop([self.daemon], PATIENCE)
        subprocess.run(["sh", "-c", LEAVE], check=False)
        shutil.rmtree(HOME, ignore_errors=True)
        ALONE.release()


def start(programs: dict[str, Path], archive: Path) -> Engine:
    """Bring the engine up, and load the images; it waits for one that runs already."""
    ALONE.acquire()
    engine = Engine(None)
    try:
        _start(engine, programs)
        with archive.open("rb") as images:
            message = engine.ask("POST", "/images/load", images, "application/x-tar")
        assert "rror" not in str(message), message
    except BaseException:
        engine.stop()
        raise
    return engine


def _start(engine: Engine, programs: dict[str, Path]) -> None:
    BIN.mkdir(parents=True)
    for name in ("dockerd", "docker-proxy", "runc", "containerd", "containerd-shim-runc-v2"):
        (BIN / name).symlink_to(programs[name])
    config = {
        "data-root": str(HOME / "data"),
        "exec-root": str(HOME / "exec"),
        "pidfile": str(HOME / "pid"),
        "hosts": [f"unix://{SOCKET}"],
        "bip": "172.29.0.1/24",
        "exec-opts": ["native.cgroupdriver=cgroupfs"],
        "cgroup-parent": f"/{group()}/engine",
        "userland-proxy-path": str(BIN / "docker-proxy"),
        "init-path": INIT,
    }
    (HOME / "daemon.json").write_text(json.dumps(config))
    (HOME / "resolv.conf").touch()
    subprocess.run(["sh", "-c", NETWORK], check=True)
    search = f"PATH={BIN}:/usr/sbin:/usr/bin:/sbin:/bin"
    argv = ["/usr/bin/env", search, "unshare", "--mount", "sh", "-c", START, "sh", HOME / "resolv.conf"]
    engine.daemon = process.start([*argv, HOME / "daemon.json"], HOME / "dockerd.log")
    answers = process.until(lambda: SOCKET.exists() and _answers(engine), 60)
    assert answers, (HOME / "dockerd.log").read_text()[-2000:]


def _answers(engine: Engine) -> bool:
    try:
        return bool(engine.ask("GET", "/version"))
    except (OSError, AssertionError, http.client.HTTPException):
        return False
