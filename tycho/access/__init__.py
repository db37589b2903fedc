"""Who may: proves who a request is from, and lets him do what he was given, with the systems that are his.

    headers -> Authority.authenticate -> Subject -> Bound (a lifecycle's verbs) -> Guarded (an orchestrator)

Nothing here knows of HTTP but its headers.
"""

from __future__ import annotations

from tycho.access.authority import Authority
from tycho.access.bound import Bound, BoundSandbox
from tycho.access.limits import Limits, TooFast
from tycho.access.options import AccessOptions, make_authority
from tycho.access.proxy import Proxy
from tycho.access.reviews import AUDIENCE, Reviews
from tycho.access.subject import Scope, Subject
from tycho.access.tokens import TokenFile

__all__ = [
    "AUDIENCE",
    "AccessOptions",
    "Authority",
    "Bound",
    "BoundSandbox",
    "Limits",
    "Proxy",
    "Reviews",
    "Scope",
    "Subject",
    "TokenFile",
    "TooFast",
    "make_authority",
]
