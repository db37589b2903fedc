"""Services call those on their own networks alone; an internal network has no way out, clients are those named."""

import json
import subprocess
import sys

from tests.e2e.room import OUTSIDE
from tests.e2e.system import System, eventually

SHOWS = ("network_mode", "networks", "networks.internal", "ports")
ASK = """
import http.client, sys
connection = http.client.HTTPConnection(sys.argv[1], int(sys.argv[2]), timeout=2, source_address=(sys.argv[3], 0))
connection.request("GET", "/passwd")
print(connection.getresponse().status)
"""
MAY = {("web", "api"), ("api", "web"), ("api", "db"), ("db", "api"), ("report", "db"), ("db", "report"),
       ("report", "api"), ("api", "report")}  # fmt: skip
NAMED = ("web", "api", "db", "report")


def calls(system: System, caller: str, host: str) -> bool:
    return system.sh(caller, f"wget -q -O /dev/null http://{host}/passwd 2>/dev/null && echo yes || true") == "yes"


def outside(address: tuple[str, int], source: str) -> bool:
    argv = ["ip", "netns", "exec", "outside", sys.executable, "-c", ASK, address[0], str(address[1]), source]
    return subprocess.run(argv, check=False, capture_output=True, text=True).stdout == "200\n"


def ip(system: System, service: str) -> str:
    return system.pods(service)[0]["status"]["podIP"]


def verify(system: System) -> None:
    system.up()
    eventually(lambda: not calls(system, "web", "db:8000"))  # the agent has seen every pod
    pairs = {
        (caller, peer) for caller in NAMED for peer in NAMED if caller != peer and calls(system, caller, f"{peer}:8000")
    }
    assert pairs == MAY
    address = ip(system, "alone")
    assert not any(calls(system, caller, f"{address}:8000") for caller in NAMED)
    assert not any(calls(system, "alone", f"{ip(system, peer)}:8000") for peer in NAMED)
    for source in OUTSIDE:
        assert outside(system.address("web"), source)
        assert not outside((ip(system, "db"), 8000), source)

    server = ["ip", "netns", "exec", "outside", sys.executable, "-m", "http.server", "-d", "/etc", "8000"]
    with subprocess.Popen(server, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        eventually(lambda: calls(system, "web", f"{OUTSIDE[0]}:8000"))
        assert calls(system, "api", f"{OUTSIDE[0]}:8000")
        assert not any(calls(system, caller, f"{OUTSIDE[0]}:8000") for caller in ("db", "report", "alone"))
        process.terminate()

    stranger = system.beside("stranger")
    stranger.up()
    assert not calls(stranger, "web", f"api.{system.space}:8000")
    (system.folder / "metadata.json").write_text(json.dumps({"web": {"port": 8000, "clients": ["192.0.2.0/24"]}}))
    system.up("--metadata", "metadata.json")
    eventually(lambda: not outside(system.address("web"), OUTSIDE[1]))
    assert outside(system.address("web"), OUTSIDE[0])
