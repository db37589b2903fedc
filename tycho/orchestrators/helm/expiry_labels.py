"""How long a release still runs: kept in the labels of its newest Secret, which lists show without its content.

What it runs on comes with each revision; its clock is that of the API server, which dates each revision's Secret. So
every revision starts it anew, and an `up` that changes nothing, which makes none, notes the moment.
"""

from __future__ import annotations

from datetime import UTC, datetime

from tycho.expiry import Expiry, Terms, parse_terms
from tycho.kube.objects import KubeObject, get_labels

TTL, IDLE, EXPIRE = "tycho-ttl", "tycho-idle", "tycho-expire"  # of the terms
CLOCK, ACTIVE, WARNED = "tycho-clock", "tycho-active", "tycho-warned"  # moments, in seconds since 1970
NOTHING = "null"  # by which Helm takes away a label that the revision before had


def make_labels(terms: Terms, *, upgrade: bool) -> dict[str, str]:
    """Return the labels that tell of a release's terms.

    Args:
        terms: What it runs on.
        upgrade: Whether a revision before has labels, which Helm keeps as far as these say nothing.
    """
    expire = terms.expire if terms and terms.expire != "pause" else ""
    labels = {TTL: str(terms.ttl or ""), IDLE: str(terms.idle or ""), EXPIRE: expire}
    return {key: value or NOTHING for key, value in labels.items() if value or upgrade}


def read_expiry(secret: KubeObject) -> Expiry | None:
    """Read off the Secret of a release's newest revision how long it still runs; None where that has no end."""
    labels = get_labels(secret)
    ttl, idle = (_number(labels.get(key, "")) for key in (TTL, IDLE))
    created = secret["metadata"].get("creationTimestamp")
    if not (ttl or idle) or not created:
        return None
    clock, active, warned = (_moment(labels.get(key, "")) for key in (CLOCK, ACTIVE, WARNED))
    started = datetime.fromisoformat(created)
    return Expiry(
        ttl=ttl,
        idle=idle,
        expire="down" if labels.get(EXPIRE) == "down" else "pause",
        started=max(started, clock or started),
        active=active,
        warned=warned,
    )


def with_question(expiry: Expiry | None, annotation: str) -> Expiry | None:
    """Add who is asked when a system was used, as its workloads tell it."""
    question = parse_terms(annotation).question if expiry and annotation else None
    return expiry.model_copy(update={"question": question}) if expiry and question else expiry


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else 0


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromtimestamp(float(text), UTC) if text else None
    except (ValueError, OverflowError, OSError):
        return None
