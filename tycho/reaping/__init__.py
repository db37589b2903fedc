"""Ending systems whose time is over: `tycho reap` and a task of `tycho api`, as often as one likes and side by side.

list -> decide -> look again, ask -> decide -> warn | pause | down
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from functools import partial

from msgspec import Struct

from tycho.errors import Conflict, NotFound, OperationInProgress, PreconditionFailed, TychoError
from tycho.expiry import Expiry, ExpiryEnd, Question, Verdict, decide
from tycho.lifecycle import Lifecycle
from tycho.model.durations import describe_seconds
from tycho.orchestrators import WaitOptions
from tycho.ownership import DESCRIPTION
from tycho.reaping.activity import NoAnswer, ask_activity
from tycho.release import Identity, Release
from tycho.slots import run_some

__all__ = ["WARN", "Outcome", "ReapOptions", "ReapResult", "reap", "reap_always"]

WARN = 600  # seconds between the warning and the end
AT_ONCE = 8  # systems that are looked at, asked or ended at the same time
ENDING = WaitOptions(wait=False, timeout=120.0)
RUNNING = frozenset({"deployed", "failed"})
# Somebody else works on it: the next pass sees.
ELSEWHERE = (Conflict, NotFound, OperationInProgress, PreconditionFailed)
log = logging.getLogger("tycho.reaping")


class Outcome(StrEnum):
    """What a pass did with a system."""

    kept = "kept"  # it is used, or does not say that it is not
    warned = "warned"
    paused = "paused"
    removed = "removed"
    failed = "failed"


class ReapResult(Struct, frozen=True):
    """What a pass did with one system.

    Args:
        identity: Which.
        outcome: What was done with it, or would be.
        reason: Why.
        error: Why it could not be done.
    """

    identity: Identity
    outcome: Outcome
    reason: str
    error: TychoError | None = None


class ReapOptions(Struct, frozen=True):
    """How systems are ended.

    Args:
        warn: Seconds between the warning and the end.
        dry_run: Say what would be done, and do nothing.
    """

    warn: int = WARN
    dry_run: bool = False


DEFAULTS = ReapOptions()


async def reap(lifecycle: Lifecycle, options: ReapOptions = DEFAULTS) -> list[ReapResult]:
    """Make one pass over all systems: warn of those whose end is near, and end those whose time is over.

    Args:
        lifecycle: The verbs, over all systems that are meant.
        options: How systems are ended.

    Returns:
        The systems whose end is near, oldest first; one that fails does not keep the others.
    """

    async def look(release: Release) -> ReapResult | None:
        try:
            return await _Reaping(lifecycle, options, release).run()
        except ELSEWHERE as error:
            log.info("%s is left to the next pass: %s", release.identity.release, error)
            return None
        except TychoError as error:
            return ReapResult(release.identity, Outcome.failed, error.message, error)

    releases = await lifecycle.orchestrator.list(services=False)
    now = lifecycle.orchestrator.now()
    near = [release for release in releases if _is_near(release, now, options.warn)]
    results = await run_some((partial(look, release) for release in near), AT_ONCE)
    return [result for result in results if result]


async def reap_always(
    lifecycle: Lifecycle,
    interval: float,
    options: ReapOptions = DEFAULTS,
    report: Callable[[ReapResult], None] = lambda result: None,
) -> None:
    """Make passes until nobody wants any more; one that fails is logged, and the next one comes.

    Args:
        lifecycle: The verbs, over all systems that are meant.
        interval: Seconds between two passes.
        options: How systems are ended.
        report: Told of each system that a pass did something with.
    """
    while True:
        try:
            for result in await reap(lifecycle, options):
                log.info("%s %s: %s", result.identity.release, result.outcome, result.reason)
                report(result)
        except TychoError as error:
            log.warning("systems whose time is over could not be listed: %s", error)
        except Exception:
            log.exception("a pass over systems whose time is over was cut short")
        await asyncio.sleep(interval)


def _is_near(release: Release, now: datetime, warn: int) -> bool:
    expiry = release.expiry
    return expiry is not None and release.state in RUNNING and decide(expiry, now, warn) is not Verdict.keep


class _Reaping(Struct):
    """One system whose end is near."""

    lifecycle: Lifecycle
    options: ReapOptions
    release: Release

    async def run(self) -> ReapResult | None:
        """Decide again with all that can be known, and do that; None where there is nothing to do after all."""
        orchestrator, identity = self.lifecycle.orchestrator, self.release.identity
        self.release = await orchestrator.status(identity)  # a list says not who is asked, and may be old by now
        expiry, reason = self.release.expiry, ""
        if expiry is None or expiry.end is None or self.release.state not in RUNNING:
            return None
        if expiry.end.idle and expiry.question:
            expiry, reason = await self._ask(expiry, expiry.question)
        end = expiry.end
        if end is None:
            return None
        verdict = decide(expiry, orchestrator.now(), self.options.warn)
        if verdict is Verdict.warn:
            warned = max(orchestrator.now(), end.since)
            text = await self._warn(expiry, end, warned)
            expiry = expiry.model_copy(update={"warned": warned})
            verdict = decide(expiry, orchestrator.now(), self.options.warn)
            if verdict is not Verdict.expire:
                return ReapResult(identity, Outcome.warned, text)
        if verdict is Verdict.expire:
            return await self._end(Outcome.paused if expiry.expire == "pause" else Outcome.removed, end.reason)
        return ReapResult(identity, Outcome.kept, reason) if reason else None

    async def _ask(self, expiry: Expiry, question: Question) -> tuple[Expiry, str]:
        """Ask when it was used; who does not answer, or answers with a moment to come, is used now."""
        orchestrator, identity = self.lifecycle.orchestrator, self.release.identity
        try:
            moment = await ask_activity(orchestrator, identity, question)
            reason = f"it was used {moment.isoformat(timespec='seconds')}"
        except NoAnswer as no_answer:
            moment, reason = orchestrator.now(), f"{no_answer}; it counts as used"
        used = expiry.used(min(moment, orchestrator.now()))
        if used.idle_since != expiry.idle_since and not self.options.dry_run:
            await orchestrator.touch(identity, used.active)
        return used, reason

    async def _warn(self, expiry: Expiry, end: ExpiryEnd, moment: datetime) -> str:
        """Write an event which says that its end is near; what it says is returned."""
        identity, notice = self.release.identity, end.notice(self.options.warn)
        left = max(end.at, moment + notice) - moment
        text = f"expires in {describe_seconds(left.total_seconds())}, {end.place}; then it is {expiry.fate}"
        if not self.options.dry_run:
            verb = "touch" if end.idle else "up"
            message = f"{identity.name} {text}; `tycho {verb}` lets it run on"
            await self.lifecycle.orchestrator.warn(identity, message, moment)
        return text

    async def _end(self, outcome: Outcome, reason: str) -> ReapResult:
        """Pause it, or remove it where its file says so; volumes are kept."""
        identity, revision = self.release.identity, self.release.revision
        if self.options.dry_run:
            return ReapResult(identity, outcome, reason)
        token = DESCRIPTION.set(f"{outcome} by tycho reap: {reason}")
        try:
            if outcome is Outcome.paused:
                await self.lifecycle.pause(identity.guid, revision=revision, force=True, wait_options=ENDING)
            else:
                await self._remove()
        finally:
            DESCRIPTION.reset(token)
        return ReapResult(identity, outcome, reason)

    async def _remove(self) -> None:
        (removal,) = await self.lifecycle.down(
            [self.release.identity.guid],
            wait_options=ENDING,
            keep_volumes=True,
            force=True,
            revision=self.release.revision,
            each=lambda removal: None,
        )
        if removal.error:
            raise removal.error
