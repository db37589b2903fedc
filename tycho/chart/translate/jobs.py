"""`restart`, `deploy.restart_policy`, `triggers`, `x-tycho.schedule`, as far as they are about work that ends."""

from __future__ import annotations

from tycho.chart import kinds
from tycho.chart.workload import Schedule
from tycho.model import Service

WAITS_AGAIN = 6  # tries of a job whose init containers failed while they waited
FOR_EVER = 2**31 - 1


def persists(service: Service, kind: str) -> bool:
    """Tell whether a job is tried again until it succeeds, however often it fails."""
    return kind == "Job" and kinds.attempts(service) is None and kinds.restarts(service) in kinds.AGAIN


def backoff_limit(service: Service, kind: str) -> int:
    """Count a job's tries after the first, as far as Kubernetes counts them."""
    attempts = kinds.attempts(service)
    if persists(service, kind):
        return FOR_EVER
    return WAITS_AGAIN if attempts is None else attempts


def translate_schedule(service: Service) -> Schedule:
    """Translate when a CronJob runs: its first trigger."""
    triggers = service.triggers or {}
    wanted = kinds.said(service).get("schedule") or triggers.get("schedule") or ()
    first = wanted if isinstance(wanted, str) else next(iter(wanted), None)
    fields = {"cron": first} if isinstance(first, str) else dict(first or {})
    concurrency = {"forbid": "Forbid", "queue": "Forbid"}.get(str(fields.get("concurrency")), "Allow")
    cron = str(fields.get("cron") or "0 0 1 1 *")
    return Schedule(cron, str(fields.get("timezone") or ""), concurrency, suspended="cron" not in fields)


def attempts(service: Service) -> int | None:
    """Return a job's tries after the first, where they are said."""
    return kinds.attempts(service)
