"""The life of one system on one side: started, looked at, changed, ended; and what was seen meanwhile."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.behaviour.engine import CALLER
from tests.behaviour.law import Observation
from tests.behaviour.observe import observations
from tests.behaviour.project import Json, Project, canonical, question, side_files
from tests.behaviour.sides import Container, Side, restarting
from tests.e2e.room import OUTSIDE
from tests.e2e.system import eventually

PATIENCE = 120  # seconds for what must come
EVENTS = ("start", "signal", "end", "refused")


@dataclass(slots=True)
class Life:
    """One system on one side.

    Args:
        side: Where.
        project: What.
        folder: Its own copy of the files.
        probe: The program that calls from outside.
        seen: What was observed so far.
        is_up: Whether its last start succeeded.
        report: Tells what becomes of each key of a folder's file; None on Docker, where nothing does.
        messages: What was said where something failed, by moment.
        rows: What it told, of the file as it was at first and as it was changed.
    """

    side: Side
    project: Project
    folder: Path
    probe: Path
    seen: list[Observation] = field(default_factory=list)
    is_up: bool = False
    report: Callable[[Path], list[Json]] | None = None
    rows: list[Json] = field(default_factory=list)
    messages: dict[str, str] = field(default_factory=dict)

    def live(self) -> list[Observation]:
        """Run through every moment; nothing of it is left."""
        self.project.write(self.folder)
        try:
            self._up("first")
            self._look("first")
            for moment in self.project.moments:
                MOMENTS[moment](self, moment)
        finally:
            self.side.down(volumes=True)
        return self.seen

    def note(self, moment: str, kind: str, service: str, key: str, value: Any) -> None:
        """Keep an observation."""
        self.seen.append(Observation(self.project.name, moment, kind, service, key, value))

    def _up(self, moment: str) -> None:
        message = self.side.up()
        if message:
            self.messages[moment] = message
        self.note(moment, "up", "", "", "failed" if message else "succeeded")
        self.is_up = not message
        if self.report and moment in ("first", "changed"):
            self.rows += [row for row in self.report(self.folder) if row not in self.rows]

    def _settle(self) -> list[Container]:
        """Wait until every container is where it will stay; where `up` failed it has said so itself."""

        def settled() -> list[Container] | None:
            containers = self.side.containers()
            return containers if all(map(self._is_settled, containers)) else None

        last = self.side.containers()
        return eventually(settled, PATIENCE) or [] if last and self.is_up else last

    def _is_settled(self, container: Container) -> bool:
        """Tell whether a container is where it will stay: one that ends by itself has ended."""
        command = self.project.tree["services"].get(container.service, {}).get("command") or ()
        ends = any(str(word).startswith("exit=") for word in command)
        runs = container.state == "running" and not restarting(container)
        return self.side.is_settled(container) and not (ends and runs)

    def _look(self, moment: str) -> None:
        """Observe everything there is to see now."""
        containers = self._settle()
        tree = canonical(self.folder)
        asked = json.dumps(question(tree, self.project.extension))
        files = set(side_files(tree))
        generated = {container.generated for container in containers}
        begun: dict[str, float] = {}
        for name in tree["services"]:
            mine = [container for container in containers if container.service == name]
            self.note(moment, "replicas", name, "", len(mine))
            for container in mine:
                self._state(moment, container)
                if container.state != "running":
                    continue
                try:
                    sight = json.loads(self.side.execute(container, "/probe", "observe", asked))
                except (AssertionError, subprocess.TimeoutExpired, ValueError) as error:
                    self.note(moment, "observable", name, "", False)
                    self.messages[f"{moment} {name}"] = str(error)
                    continue
                self.note(moment, "observable", name, "", True)
                begun[name] = sight["started"]
                for kind, key, value in observations(sight, generated):
                    # Docker mounts a config's file, but copies its text: what counts is the file, its mode and owner.
                    if not (kind.startswith("mount") and key in files):
                        self.note(moment, kind, name, key, value)
        if moment == "first":
            self._order(moment, tree, begun)
        self._outside(moment, tree)

    def _state(self, moment: str, container: Container) -> None:
        self.note(moment, "state", container.service, "", container.state)
        if container.exit_code is not None:
            self.note(moment, "exit-code", container.service, "", container.exit_code)
        self.note(moment, "restarts", container.service, "", "some" if container.restarts else "none")
        self.note(moment, "health", container.service, "", container.health)
        lines, _ = split_log(self.side.logs(container))
        self.note(moment, "log", container.service, "", sorted(set(lines)))

    def _order(self, moment: str, tree: Json, begun: Mapping[str, float]) -> None:
        for name, service in tree["services"].items():
            for other in service.get("depends_on") or ():
                if name in begun and other in begun:
                    later = begun[name] >= begun[other]
                    self.note(moment, "order", name, other, "after" if later else "before")

    def _outside(self, moment: str, tree: Json) -> None:
        """Call every published port from outside."""
        publishes = any(service.get("ports") for service in tree["services"].values())
        ends = self.side.published() if publishes else []
        for name, service in tree["services"].items():
            for port in service.get("ports", ()):
                protocol, key = port["protocol"], f"{port['target']}/{port['protocol']}"
                matching = [
                    end for end in ends
                    if (end.service, end.target) == (name, port["target"]) and end.protocol in ("", protocol)
                    and _is_wanted(port.get("published"), end.port)
                ]  # fmt: skip
                self.note(moment, "published", name, key, bool(matching))
                if not matching:
                    continue
                call = {"name": matching[0].address, "port": str(matching[0].port), "proto": protocol}
                answer = self._call(call)
                self.note(moment, "outside", name, key, answer["who"])
                for caller in answer["callers"]:
                    self.note(moment, "outside-sees", name, key, "caller" if caller in CALLERS else "another")

    def _call(self, call: Json) -> Json:
        argv = ["nsenter", f"--net=/run/netns/{self.side.outside}", self.probe, "call", json.dumps({"calls": [call]})]
        done = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=60)
        answer: Json = json.loads(done.stdout)[0]
        return answer

    def _starts(self) -> dict[str, list[float]]:
        """When the main process of each running container began."""
        starts: dict[str, list[float]] = {}
        for container in self.side.containers():
            if container.state == "running":
                sight = json.loads(self.side.execute(container, "/probe", "observe"))
                starts.setdefault(container.service, []).append(sight["started"])
        return {name: sorted(times) for name, times in starts.items()}

    def _again(self, moment: str) -> None:
        """Start what runs already, with its file as it is or changed: what is made anew?"""
        self._settle()
        before = self._starts()
        if moment == "changed":
            self.project.change(self.folder)
        self._up(moment)
        self._settle()
        after = self._starts()
        for name in before.keys() | after.keys():
            same = set(before.get(name, ())) & set(after.get(name, ()))
            self.note(moment, "recreated", name, "", not same)
        if moment == "changed":
            self._look(moment)

    def _write(self, moment: str) -> None:
        """Leave a file in each place that the system says, for what lives on."""
        for name, path in self.project.extension["write"].items():
            for container in self.side.containers():
                if container.service == name and container.state == "running":
                    try:
                        self.side.execute(container, "/probe", "write", f"{path}/left", "left")
                        outcome = True
                    except AssertionError:
                        outcome = False
                    self.note(moment, "written", name, path, outcome)

    def _ended(self, moment: str) -> None:
        """Have every main process end by itself, as one that fails does."""
        before = self._starts()
        for container in self.side.containers():
            if container.state == "running":
                with suppress(AssertionError):  # it ends with the container
                    self.side.execute(container, "/probe", "kill", "QUIT")
        services = self.project.tree["services"]
        again = {name for name in before if services.get(name, {}).get("restart") in ("always", "unless-stopped")}

        def begun() -> bool:
            """Tell whether all have ended, and those that always run do so once more."""
            starts = self._starts()
            return all(starts.get(name) != times for name, times in before.items()) and again <= starts.keys()

        eventually(begun, PATIENCE)
        self._look(moment)

    def _restarted(self, moment: str) -> None:
        self.side.restart()
        self._look(moment)

    def _rebuilt(self, moment: str) -> None:
        """Remove all but the volumes, and start again."""
        self.side.down(volumes=False)
        self._up(moment)
        self._look(moment)

    def _renewed(self, moment: str) -> None:
        """Remove it with its volumes, and start again."""
        self.side.down(volumes=True)
        self._up(moment)
        self._look(moment)

    def _stopped(self, moment: str) -> None:
        """Ask everything to end: which signal came, and did it end by itself?"""
        running = [container for container in self.side.containers() if container.state == "running"]
        for container, text in self.side.last_words(running):
            _, events = split_log(text)
            signals = [event.get("text", "") for event in events if event["event"] == "signal"]
            self.note(moment, "signal", container.service, "", signals)
            self.note(moment, "ending", container.service, "", "itself" if events[-1]["event"] == "end" else "killed")


def _is_wanted(published: str | None, port: int) -> bool:
    """Tell whether a file asks for a port: for this one, one of a range, or any."""
    first, _, last = (published or "").partition("-")
    return not first or int(first) <= port <= int(last or first)


CALLERS = (CALLER, *OUTSIDE)
MOMENTS: dict[str, Callable[[Life, str], None]] = {
    "again": Life._again,
    "changed": Life._again,
    "written": Life._write,
    "ended": Life._ended,
    "restarted": Life._restarted,
    "rebuilt": Life._rebuilt,
    "renewed": Life._renewed,
    "stopped": Life._stopped,
}


def split_log(text: str) -> tuple[list[str], list[Json]]:
    """Part what a program printed since its last start from what the probe tells of itself.

    Docker keeps what a container printed before it was started again, and Kubernetes does not show it.
    """
    lines: list[str] = []
    events: list[Json] = []
    for line in text.splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            lines.append(line)
            continue
        if isinstance(event, dict) and event.get("event") in EVENTS:
            if event["event"] == "start":
                lines, events = [], []
            events.append(event)
        else:
            lines.append(line)
    return lines, events
