"""All verbs of a service: the seed's take a request and give an answer, those over addresses raise."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from tycho.client.answers import TychoAnswer, TychoStatus, TychoSystem, write_started
from tycho.client.expiry import TouchVerbs
from tycho.client.pausing import PausingVerbs
from tycho.client.reading import ReadingVerbs
from tycho.client.requests import Follow, Reply, Request, Steps, address, ask, pairs, write_labels
from tycho.client.tracking import TrackingVerbs
from tycho.client.verb import either, verb
from tycho.errors import SourceError

if TYPE_CHECKING:
    from tycho.client.progress import Progress
    from tycho.wire import System

A = TypeVar("A", bound=TychoAnswer)
READING = ("status", "history", "events", "logs", "compile")  # seed verbs that change nothing
PAGE = 1000  # systems of one answer: a service looks at all of them for each
SHOWN = 28  # characters of a name in a row


class Verbs(PausingVerbs, ReadingVerbs, TouchVerbs, TrackingVerbs):
    """What both clients can do; see `TychoClient`."""

    @verb
    def start(
        self, request: Mapping[str, Any], *, on_progress: Callable[[Progress], object] | None = None
    ) -> Steps[TychoSystem]:
        """Start a system: `{name, system, env?, services?, username?}`.

        Args:
            request: What to start.
            on_progress: Told of what happens until the system is ready or has failed, `print` for example; without it,
                the answer comes as soon as the service has it.
        """
        if on_progress is None:
            return (yield from self.post_as(TychoSystem, "start", request))
        body = {key: value for key, value in request.items() if key != "wait"}
        reply = yield from ask(
            Request("POST", "/system", pairs(wait=0), body, headers={"Idempotency-Key": uuid4().hex})
        )
        answer = TychoSystem(**reply.envelope(self._describe_address("/system")))
        if answer.error:
            return answer
        guid = answer.result["sid"]
        last: Progress | None = yield Follow(guid, on_progress)
        system = yield from self._get("system", guid)
        if last and last.kind == "failed":
            failure = {"error": "StartFailed", "message": last.why or last.message}
            return TychoSystem("error", failure, failure["message"])
        return TychoSystem("success", write_started(system, answer.result), f"Started system {system['app_id']}")

    @verb
    def status(self, request: Mapping[str, Any] | None = None) -> Steps[TychoStatus]:
        """List the running systems: all of them, or `{name}` alone."""
        return (yield from self.post_as(TychoStatus, "status", request or {}))

    @verb
    def delete(self, request: Mapping[str, Any]) -> Steps[TychoStatus]:
        """Remove the system `{name}`."""
        return (yield from self.post_as(TychoStatus, "delete", request))

    @verb
    def history(self, request: Mapping[str, Any]) -> Steps[TychoAnswer]:
        """List the revisions of the system `{name}`: `.result` is a list, oldest first."""
        return (yield from self.post_as(TychoAnswer, "history", request))

    @verb
    def compile(self, request: Mapping[str, Any]) -> Steps[TychoAnswer]:
        """Compile the chart of `{name, system, env?, services?}`: `.result` has its files and report."""
        return (yield from self.post_as(TychoAnswer, "compile", request))

    @verb
    def patch(self, items: Sequence[Mapping[str, Any]]) -> Steps[builtins.list[TychoAnswer]]:
        """Modify several systems, `{tycho-guid, labels?, cpu?, memory?, …}` each; each has its answer."""
        return (yield from self._each(TychoAnswer, "modify", items))

    @verb
    def up(self, name: str, system: Mapping[str, Any], settings: str = "") -> Steps[TychoSystem]:
        """Start a compose document.

        Args:
            name: The project's name.
            system: The document.
            settings: Its environment, as the text of an env file.
        """
        request = {"name": name, "system": dict(system), "env": self.parse_env(settings)}
        return (yield from self.post_as(TychoSystem, "start", request))

    @verb
    def list(self, name: str = "", *, terse: bool = False) -> Steps[Any]:
        """List the systems that run: as `TychoStatus`, or, `terse`, their GUIDs."""
        status = yield from self.post_as(TychoStatus, "status", {"name": name} if name else {})
        return [system.identifier for system in status.services] if terse else status

    @verb
    def down(self, names: Sequence[str], *, keep_volumes: bool = False) -> Steps[builtins.list[TychoStatus]]:
        """Remove several systems, with or without their volumes; each has its answer."""
        kept: dict[str, bool] = {"keep-volumes": True} if keep_volumes else {}
        return (yield from self._each(TychoStatus, "delete", [{"name": name, **kept} for name in names]))

    @verb
    def request(self, service: str, request: Mapping[str, Any]) -> Steps[dict[str, Any]]:
        """Post any request of the seed's style to `/system/SERVICE`: the envelope as it came."""
        return (yield from self._post(service, request))

    @verb
    def systems(
        self,
        *,
        name: str = "",
        username: str = "",
        state: str = "",
        ready: bool | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> Steps[builtins.list[System]]:
        """List the systems that run, oldest first: all of them, or those that fit; over as many pages as there are."""
        from tycho.wire import read_system

        systems: list[System] = []
        more = ""
        while True:
            ready_text = None if ready is None else str(ready).lower()
            query = {"name": name, "username": username, "state": state, "ready": ready_text}
            labelled = write_labels(labels)
            page = yield from self._get("system", label=labelled, limit=PAGE, **query, **{"continue": more})
            systems += map(read_system, page["items"])
            more = page["continue"]
            if not more:
                return systems

    @verb
    def system(self, id: str) -> Steps[System]:
        """Return one system, by GUID, unique prefix of it, release or project name, or `NAME-GUID`."""
        from tycho.wire import read_system

        return read_system((yield from self._get("system", id)))

    @verb
    def revisions(self, id: str) -> Steps[builtins.list[dict[str, Any]]]:
        """List the revisions of a system, oldest first: `{revision, state, done, why, error, …}`."""
        revisions: builtins.list[dict[str, Any]] = yield from self._get("system", id, "revisions")
        return revisions

    @either
    def logs(
        self, id: str, services: Sequence[str] = (), *, since: str = "", tail: int = 100, timestamps: bool = False
    ) -> Steps[builtins.list[str]]:
        """Return what a system's containers have written; or, of a request `{name, services?, …}`, the answer."""
        query = {"services": [*services], "since": since, "tail": tail, "timestamps": timestamps}
        lines: builtins.list[str] = yield from self._get("system", id, "logs", **query)
        return lines

    @either
    def events(self, id: str, services: Sequence[str] = ()) -> Steps[builtins.list[dict[str, Any]]]:
        """Return what the cluster tells of a system; or, of a request `{name, services?}`, the answer."""
        body = {"name": id, "services": [*services]}
        events: builtins.list[dict[str, Any]] = yield from self._send(
            Request("POST", "/system/events", body=body, safe=True)
        )
        return events

    @either
    def rollback(
        self,
        id: str,
        revision: int = 0,
        *,
        force: bool = False,
        force_conflicts: bool = False,
        wait: float | None = None,
    ) -> Steps[System]:
        """Make an earlier revision the running one; or, of a request `{name, revision?, wait?}`, return the answer."""
        from tycho.wire import read_system

        body = {"revision": revision, "force": force, "forceConflicts": force_conflicts}
        return read_system(
            (yield from self._send(Request("POST", address("system", id, "rollback"), pairs(wait=wait), body)))
        )

    @either
    def restart(
        self, id: str, services: Sequence[str] = (), *, force: bool = False, wait: float | None = None
    ) -> Steps[System]:
        """Replace the pods of a system by new ones; or, of a request `{name, services?, wait?}`, return the answer."""
        from tycho.wire import read_system

        body = {"services": [*services], "force": force}
        return read_system(
            (yield from self._send(Request("POST", address("system", id, "restart"), pairs(wait=wait), body)))
        )

    @either
    def modify(
        self, id: str, changes: Mapping[str, Any], *, wait: float | None = None, if_match: str = ""
    ) -> Steps[System]:
        """Change what runs without its compose file; or, of a request `{tycho-guid, …}`, return the answer.

        Args:
            id: Which system.
            changes: `{labels, cpu, memory, gpu, resources, replicas, services: {web: {replicas, image, …}}}`, and
                `forceConflicts` to take back what others have changed in the cluster.
            wait: Seconds to wait until it is ready; 0 does not wait, and by default the service decides.
            if_match: The ETag that the system must still have.
        """
        from tycho.wire import read_system

        headers = {"If-Match": if_match} if if_match else {}
        request = Request("PATCH", address("system", id), pairs(wait=wait), changes, headers)
        return read_system((yield from self._send(request)))

    @verb
    def preview(self, id: str, changes: Mapping[str, Any]) -> Steps[builtins.list[str]]:
        """Say what a `modify` would change, line by line; nothing is changed."""
        request = Request("PATCH", address("system", id), pairs(dryRun=True), changes, safe=True)
        lines: builtins.list[str] = (yield from self._send(request))["changes"]
        return lines

    @verb
    def remove(
        self, id: str, *, keep_volumes: bool = False, force: bool = False, wait: float | None = None
    ) -> Steps[None]:
        """Remove a system with everything that belongs to it.

        Args:
            id: Which system.
            keep_volumes: Keep its volumes for its next start.
            force: Do it to somebody else's, too.
            wait: Seconds to wait until it is gone; 0 does not wait, and by default the service decides.

        Raises:
            NotFound: There is none.
        """
        query = pairs(keepVolumes=keep_volumes, force=force, wait=wait)
        yield from self._send(Request("DELETE", address("system", id), query))

    @staticmethod
    def parse_env(text: str) -> dict[str, str]:
        """Parse the variables of an env file's text.

        Raises:
            SourceError: It is not one.
        """
        from tycho.compose import dotenv

        try:
            return dotenv.parse(text.encode(), "settings", {})
        except dotenv.MalformedEnvFile as error:
            raise SourceError("1 problem", problems=[error.problem]) from None

    @staticmethod
    def format_name(name: str) -> str:
        """Return a name as a row of `tycho status` has it: at most 28 characters."""
        return name if len(name) <= SHOWN else name[: SHOWN - 2] + ".."

    def post_as(self, kind: type[A], name: str, request: Mapping[str, Any]) -> Steps[A]:
        """Post a request of the seed's style; its answer."""
        return kind(**(yield from self._post(name, request)))

    def _each(self, kind: type[A], name: str, requests: Sequence[Mapping[str, Any]]) -> Steps[builtins.list[A]]:
        answers = [kind("", None, "")] * len(requests)
        for index, request in enumerate(requests):
            answers[index] = yield from self.post_as(kind, name, request)
        return answers

    def _post(self, name: str, request: Mapping[str, Any]) -> Steps[dict[str, Any]]:
        # The same GUID again is the same start.
        safe = name in READING or (name == "start" and bool(request.get("tycho-guid")))
        path = address("system", name)
        reply: Reply = yield from ask(Request("POST", path, body=dict(request), safe=safe))
        return reply.envelope(self._describe_address(path))
