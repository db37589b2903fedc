"""Commands in turn, A B A B, so that a machine's moods hit all alike; the median is what counts."""

from __future__ import annotations

import resource
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """One command.

    Args:
        name: What is measured.
        argv: The command; None: `call` instead.
        before: Done before each run, and not measured.
        after: Done after each run, and not measured.
        call: A function to time instead of a process.
    """

    name: str
    argv: Sequence[str] = ()
    before: Callable[[], object] = lambda: None
    after: Callable[[], object] = lambda: None
    call: Callable[[], object] | None = None
    cwd: str | None = None


def processor_time() -> float:
    """Seconds that this process and the commands that it waited for have computed."""
    own, commands = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + commands.ru_utime + commands.ru_stime


def medians(
    cases: Sequence[Case], runs: int = 9, warmup: int = 1, clock: Callable[[], float] = time.perf_counter
) -> list[float]:
    """Seconds of each case: the median of its runs.

    Args:
        cases: What is measured.
        runs: Of each case.
        warmup: Runs before these that do not count.
        clock: What is measured by; what goes by on the wall by default.
    """
    taken: list[list[float]] = [[] for _ in cases]
    for turn in range(runs + warmup):
        for case, times in zip(cases, taken, strict=True):
            case.before()
            start = clock()
            if case.call:
                case.call()
            else:
                done = subprocess.run(case.argv, cwd=case.cwd, stdin=subprocess.DEVNULL, capture_output=True)
                if done.returncode:
                    raise SystemExit(f"{case.name}: {done.stderr.decode(errors='replace')[-2000:]}")
            if turn >= warmup:
                times.append(clock() - start)
            case.after()
    return [statistics.median(times) for times in taken]


def judged(name: str, seconds: float, limit: float, why: str = "") -> int:
    """Print a figure beside its promise; 1 when it is late."""
    late = seconds > limit
    print(
        f"{'LATE' if late else 'ok  '} {name:<48} {seconds:7.3f} s  (promised {limit:.3f} s{', ' + why if why else ''})"
    )
    return int(late)
