"""How long a system runs: what `x-tycho: {ttl, idle, expire}` says, and what that means at a moment; pure."""

from tycho.expiry.clock import Expiry, ExpiryEnd, Verdict, decide
from tycho.expiry.terms import (
    ANNOTATION,
    EXPIRE,
    IDLE,
    LONGEST,
    TTL,
    Question,
    Terms,
    find_terms,
    is_duration,
    is_idle,
    parse_terms,
    read_seconds,
    read_terms,
    set_ttl,
)

__all__ = [
    "ANNOTATION",
    "EXPIRE",
    "IDLE",
    "LONGEST",
    "TTL",
    "Expiry",
    "ExpiryEnd",
    "Question",
    "Terms",
    "Verdict",
    "decide",
    "find_terms",
    "is_duration",
    "is_idle",
    "parse_terms",
    "read_seconds",
    "read_terms",
    "set_ttl",
]
