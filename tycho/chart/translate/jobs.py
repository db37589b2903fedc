"""`restart`, `deploy.restart_policy`, `triggers`, `x-tycho.schedule`, as far as they are about work that ends."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tycho.chart import workload_kind
from tycho.chart.translate.key_rule import Rows, Table, approximated, ignored, per_pod, rejected, translated, whole
from tycho.chart.translate.key_use import KeyUse, workload
from tycho.chart.workload import Schedule
from tycho.model import Service

RESTART = re.compile(r"no|none|any|always|unless-stopped|on-failure(:[0-9]{1,9})?")

WAITS_AGAIN = 6  # tries of a job whose init containers failed while they waited
FOR_EVER = 2**31 - 1


def persists(service: Service, kind: str) -> bool:
    """Tell whether a job is tried again until it succeeds, however often it fails."""
    return (
        kind == "Job"
        and workload_kind.retry_limit(service) is None
        and workload_kind.restart_policy(service) in workload_kind.RETRYING
    )


def backoff_limit(service: Service, kind: str) -> int:
    """Count a job's tries after the first, as far as Kubernetes counts them."""
    attempts = workload_kind.retry_limit(service)
    if persists(service, kind):
        return FOR_EVER
    return WAITS_AGAIN if attempts is None else attempts


def translate_schedule(service: Service) -> Schedule:
    """Translate when a CronJob runs: its first trigger."""
    triggers = service.triggers or {}
    schedule = workload_kind.tycho_extension(service).get("schedule") or triggers.get("schedule") or ()
    first = schedule if isinstance(schedule, str) else next(iter(schedule), None)
    fields = {"cron": first} if isinstance(first, str) else dict(first or {})
    concurrency = {"forbid": "Forbid", "queue": "Forbid"}.get(str(fields.get("concurrency")), "Allow")
    cron = str(fields.get("cron") or "0 0 1 1 *")
    return Schedule(cron, str(fields.get("timezone") or ""), concurrency, suspended="cron" not in fields)


def assess_restart(use: KeyUse) -> Rows:
    """Assess `restart`: pods are always started again; jobs are not."""
    policy, place = workload_kind.restart_policy(use.service), workload("")
    if not RESTART.fullmatch(str(use.value)):
        why = f'"{use.value}" is not a restart policy'
        yield "", rejected(why, "write no, always, unless-stopped or on-failure")
    elif use.kind in workload_kind.JOBS:
        if policy in ("always", "unless-stopped"):
            why = "other services wait for its completion, so it is retried until it succeeds"
            yield "", approximated(use.kind, why, 'write restart: "no"', place)
        elif use.kind == "Job":
            ended = "tycho up waits until it ends, and fails if it fails; docker compose up -d does not wait"
            yield "", translated("Job, backoffLimit", workload("spec.backoffLimit"), but=ended)
    elif policy in ("no", "on-failure"):
        why = "a service that others call is always restarted"
        yield "", approximated(use.kind, why, "x-tycho: {kind: Job} makes it run once", place)


def assess_attempts(use: KeyUse) -> Rows:
    """Assess a number of tries: only jobs give up."""
    if use.kind not in workload_kind.JOBS:
        yield "", ignored("a service that others call is always restarted", "x-tycho: {kind: Job} makes it give up")
    elif use.kind == "CronJob":
        yield "", translated("backoffLimit", workload("spec.jobTemplate.spec.backoffLimit"))


def assess_triggers(use: KeyUse) -> Rows:
    """Assess schedules."""
    schedule = (use.value or {}).get("schedule") or ()
    if len(schedule) > 1:
        yield ".schedule", rejected("a CronJob has one schedule", "make it a job for each")
    elif any(isinstance(entry, Mapping) and entry.get("concurrency") == "queue" for entry in schedule):
        why, remedy = (
            "a CronJob skips a run while the last one is active",
            "let each run end before the next one starts",
        )
        yield ".schedule[0].concurrency", approximated("Forbid", why, remedy, workload("spec.concurrencyPolicy"))
    elif not schedule:
        why, remedy = "nothing starts it automatically", "kubectl create job --from=cronjob/NAME"
        yield "", approximated("a suspended CronJob", why, remedy, workload("spec.suspend"))


KEYS: Table = {
    "restart": per_pod(translated("kind of workload, backoffLimit", workload(""), assess=assess_restart)),
    "deploy.restart_policy.condition": translated("kind of workload", workload(""), assess=assess_restart),
    "deploy.restart_policy.max_attempts": translated(
        "backoffLimit", workload("spec.backoffLimit"), assess=assess_attempts
    ),
    "deploy.restart_policy.delay": ignored(
        "Kubernetes increases the delay between restarts from 10 s to 5 min", "let the program wait before it exits"
    ),
    "deploy.restart_policy.window": ignored(
        "probes decide whether a container has started", "give the service a healthcheck"
    ),
    "triggers": whole(translated("CronJob", workload("spec.schedule"), assess=assess_triggers)),
}
