"""What is called ready stays so for a while; after an update, the new pods alone are called."""

import json
import re
import subprocess
import threading
import time
from datetime import datetime
from typing import Self

from tests.e2e.system import Json, System, eventually, fetch

SHOWS = ("deploy.mode",)
SECONDS = 150
REQUESTS = 200
QUIET = 2.0  # seconds
SERVERS = ("plain", "checked", "started-first", "alone")
READY = re.compile(r"^  (\S+): (?:ready|(\d+)/\2 ready) \(", re.MULTILINE)
WHY = {
    "no-program": 'cannot run "nosuchprogram": not found in the image',
    "no-path": 'cannot run "/nosuch/program": not found in the image',
    "no-executable": 'cannot run "/etc/passwd": it may not be executed',
    "no-file": 'cannot run "/etc": it is a directory|cannot run "/etc": it may not be executed',
    "no-directory": 'cannot make the directory "/etc/passwd": not a directory',
    "no-image": "image registry.invalid/nosuch:1: its registry cannot be reached: ",
    "no-check": 'its health check cannot run "nosuchcheck": not found in the image',
    "no-room": "no node takes it: not enough cpu ",
}


def verify(system: System) -> None:
    broken = system.beside("broken")
    assert broken.fails("-f", "broken.yaml")
    eventually(lambda: explain(broken))
    broken.down()
    failing = system.beside("failing")
    look_at_failing(failing)
    failing.down()
    look_at_healthy(system)
    system.up(env={"VERSION": "2"})
    call(system, "2")
    system.tycho("rollback", system.guid)
    call(system, "1")
    words = ("up", "--name", system.name, "-q", "--timeout", "30")
    message = system.tycho(*words, "-f", "compose.yaml", "-f", "worse.yaml", ok=False)
    assert "idle" in message, message


def services(system: System) -> dict[str, Json]:
    """The services as `tycho status` shows them."""
    (release,) = json.loads(system.tycho("status", system.guid, "-o", "json"))
    return {service["name"]: service for service in release["services"]}


def look_at_failing(system: System) -> None:
    """`up` calls nothing ready that ends within two seconds, `status` nothing that is between two restarts."""
    shown: list[str] = []
    words = ("up", "--name", system.name, "-f", "failing.yaml", "--timeout", "180")
    up = threading.Thread(target=lambda: shown.append(system.tycho(*words, ok=False)))
    up.start()
    eventually(lambda: find(system))
    with Runs(system) as runs:
        up.join()
    (lines,) = shown
    called = {match[1] for match in READY.finditer(lines)}
    assert "ends-20" in called, lines
    assert "cannot start: " in lines  # Kubernetes has tried for half a minute
    # A node that has much to do tells of ends late; nobody can know more than what the API server shows.
    short = {name: runs.longest(name) for name in called if runs.longest(name) < QUIET}
    assert not short, lines
    loop = eventually(lambda: (service := services(system)["ends-20"])["done"] and service["restarts"] and service)
    assert re.fullmatch(r'restarted (once|\d times): exit 3 "last words"', loop["why"]), loop
    for _ in range(5):
        compare(system)


class Runs:
    """For how long the API server has shown each run of a container, from its own events."""

    def __init__(self, system: System) -> None:
        path = f"/api/v1/namespaces/{system.space}/pods?watch=1"
        argv = [system.node.programs["kubectl"], f"--kubeconfig={system.node.kubeconfig}", "get", "--raw", path]
        self._watch = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
        self._reader = threading.Thread(target=self._read)
        self._running: dict[tuple[str, ...], float] = {}  # service, pod, container, start -> when that was shown
        self._lasted: list[tuple[str, float]] = []

    def __enter__(self) -> Self:
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._watch.terminate()
        self._reader.join()
        self._watch.wait()
        self._end(list(self._running))

    def longest(self, service: str) -> float:
        """The longest that a container of a service was shown running at a stretch: in seconds."""
        return max((seconds for name, seconds in self._lasted if name == service), default=0.0)

    def _end(self, runs: list[tuple[str, ...]]) -> None:
        for run in runs:
            self._lasted.append((run[0], time.time() - self._running.pop(run)))

    def _read(self) -> None:
        assert self._watch.stdout
        with self._watch.stdout as events:
            for event in map(json.loads, events):
                pod = event["object"]
                name, service = pod["metadata"]["name"], pod["metadata"]["labels"]["app.kubernetes.io/component"]
                shown = set()
                for status in pod["status"].get("containerStatuses", ()):
                    if running := status["state"].get("running"):
                        run = service, name, status["name"], running["startedAt"]
                        shown.add(run)
                        began = datetime.fromisoformat(running["startedAt"]).timestamp()
                        self._running.setdefault(run, began if event["type"] == "ADDED" else time.time())
                self._end([run for run in self._running if run[1] == name and run not in shown])


def find(system: System) -> bool:
    system.find()
    return bool(system.release)


def compare(system: System) -> None:
    """What did not run before and after a look was not called ready by it."""
    before, seen, after = stopped(system), services(system), stopped(system)
    for service in before.keys() & after.keys():
        if before[service] & after[service]:
            assert not seen[service]["done"], seen[service]


def stopped(system: System) -> dict[str, set[tuple[str, str]]]:
    """The containers that do not run, each with its state, by service."""
    states: dict[str, set[tuple[str, str]]] = {}
    for pod in system.get("pods"):
        service = pod["metadata"]["labels"]["app.kubernetes.io/component"]
        for status in pod["status"].get("containerStatuses", ()):
            if "running" not in status["state"]:
                state = json.dumps([status["restartCount"], status["state"], status["lastState"]])
                states.setdefault(service, set()).add((pod["metadata"]["name"], state))
    return states


def explain(system: System) -> bool:
    """Why each of the broken does not run: whole, and in plain words."""
    known = services(system)
    others = {name: known[name]["why"] for name, why in WHY.items() if not re.match(why, known[name]["why"])}
    assert others == {}
    return not any(service["done"] for service in known.values())


def look_at_healthy(system: System) -> None:
    """Nothing that is slow is taken for one that fails."""
    system.up()
    known = services(system)
    assert {
        name: service["why"]
        for name, service in known.items()
        if service["why"] or service["restarts"] or not service["done"]
    } == {}


def call(system: System, version: str) -> None:
    """As soon as a verb has ended, every answer is of one version."""
    addresses = [system.address(name, 8000) for name in SERVERS]
    answers = {
        name: [fetch(address)[1] for _ in range(REQUESTS)] for name, address in zip(SERVERS, addresses, strict=True)
    }
    assert {name: set(texts) for name, texts in answers.items()} == {name: {version} for name in SERVERS}
