"""What Prometheus reads: requests by route, method and status, how long they took, and what is at work.

It is open to whoever reaches the service, so nothing in it names a system, a user or a namespace.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Iterator, Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
CUT = "499"  # the caller has gone before there was an answer


class Meter:
    """Counts requests and measures their time.

    Args:
        app: What answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.working = 0
        self.counts: dict[tuple[str, str, str], int] = {}
        self.times: dict[tuple[str, str], list[float]] = {}  # how many in each of BOUNDS and beyond; then the sum

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, as ASGI has it."""
        if scope["type"] == "lifespan":
            scope["app"].state.meter = self
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        status, began = CUT, time.perf_counter()

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        self.working += 1
        try:
            await self.app(scope, receive, noted)
        finally:
            self.working -= 1
            route = getattr(scope.get("route"), "path", "")  # of what is no route there may be any number
            self._count(route, scope["method"], status, time.perf_counter() - began)

    def expose(self, gauges: Mapping[str, float]) -> str:
        """Write it all down in Prometheus' own format.

        Args:
            gauges: What the orchestrator tells beside it, by name.
        """
        return "\n".join(self._lines({"requests_in_progress": self.working, **gauges})) + "\n"

    def _count(self, route: str, method: str, status: str, seconds: float) -> None:
        method = method if method in METHODS else "other"
        self.counts[route, method, status] = self.counts.get((route, method, status), 0) + 1
        times = self.times.setdefault((route, method), [0] * (len(BOUNDS) + 2))
        times[bisect_left(BOUNDS, seconds)] += 1
        times[-1] += seconds

    def _lines(self, gauges: Mapping[str, float]) -> Iterator[str]:
        yield "# HELP tycho_requests_total Requests that were answered."
        yield "# TYPE tycho_requests_total counter"
        for (route, method, status), count in sorted(self.counts.items()):
            yield f'tycho_requests_total{{route="{route}",method="{method}",status="{status}"}} {count}'
        yield "# HELP tycho_request_duration_seconds How long requests took."
        yield "# TYPE tycho_request_duration_seconds histogram"
        for (route, method), (*counts, total) in sorted(self.times.items()):
            labels, reached = f'route="{route}",method="{method}"', 0
            for bound, more in zip((*map(str, BOUNDS), "+Inf"), counts, strict=True):
                reached += int(more)
                yield f'tycho_request_duration_seconds_bucket{{{labels},le="{bound}"}} {reached}'
            yield f"tycho_request_duration_seconds_sum{{{labels}}} {total:.6f}"
            yield f"tycho_request_duration_seconds_count{{{labels}}} {reached}"
        for name, number in gauges.items():
            yield f"# TYPE tycho_{name} gauge"
            yield f"tycho_{name} {number:g}"
