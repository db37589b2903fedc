"""`python -m tycho.cluster create|status|delete [NAME]`."""

from __future__ import annotations

import sys

from tycho import cluster

verb, name = [*sys.argv[1:], "tycho"][:2]
if verb == "create":
    print(cluster.create(name, progress=lambda line: print(line, file=sys.stderr)))  # noqa: T201
elif verb == "status":
    print(cluster.status(name))  # noqa: T201
else:
    cluster.delete(name)
