"""`x-tycho`: what belongs to the chart, and Compose has no word for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from tycho.chart.keys.key import Key, rejected, translated
from tycho.chart.kinds import KINDS
from tycho.chart.probes import KEY, PROBE, is_probe
from tycho.model import Json

Check = Callable[[Json], bool]
MODES = frozenset({"ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"})
SIZE = re.compile(r"(?i)[0-9]+(\.[0-9]+)? ?([kmgtp]i?)?b?")
CRON = re.compile(r"@[a-z]+|\S+( +\S+){4}")


def _texts(value: Json) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(one, str) for one in value)


def _keys(*known: str) -> Check:
    return lambda value: isinstance(value, Mapping) and set(value) <= set(known)


WORDS: Mapping[str, Mapping[str, tuple[Check, str, Key]]] = {
    "": {
        "grants": (_texts, '["annotations.example.k8s.io/*"]', translated("rights that a policy granted")),
        "externalNames": (_texts, '["shared-*"]', translated("names of objects that exist")),
        "root": (lambda v: isinstance(v, str), "..", translated("decided when the file is read")),
        "secretFiles": (_texts, '["*.key", "!public.key"]', translated("Secrets of the release")),
        "networkPolicy": (lambda v: isinstance(v, bool), "true or false", translated("NetworkPolicies")),
        "ingress": (
            _keys("className", "annotations", "tls"), "{className, annotations, tls}", translated("Ingress (live)")
        ),
        "secretEnvironment": (_texts, '["*password"]', translated("which names are secret, in every service")),
    },
    "services": {
        "kind": (lambda v: v in KINDS, f"one of {', '.join(KINDS)}", translated("kind of workload")),
        "headless": (lambda v: isinstance(v, bool), "true", translated("a name of the pods' own addresses")),
        "schedule": (lambda v: bool(CRON.fullmatch(str(v))), '"0 3 * * *"', translated("CronJob")),
        "ingress": (_keys("host", "path", "port"), "{host, path, port}", translated("Ingress (live)")),
        "secretEnvironment": (_texts, '["*password", "!SORT_KEY"]', translated("a Secret of the release")),
        "grants": (_texts, '["cap_add=NET_ADMIN"]', translated("rights that a policy granted")),
        KEY: (is_probe, PROBE, translated("readinessProbe")),
        "storage": (lambda v: isinstance(v, bool), "true or false", translated("claims, or none, for writable binds")),
        "hostPaths": (_texts, "[/dev/net/tun]", translated("hostPath volumes")),
    },
    "volumes": {
        "size": (lambda v: bool(SIZE.fullmatch(str(v))), "10g", translated("size of the claim (live)")),
        "class": (lambda v: isinstance(v, str), "fast", translated("storageClassName (live)")),
        "accessModes": (lambda v: _texts(v) and set(v) <= MODES, "[ReadWriteMany]", translated("accessModes (live)")),
    },
}  # fmt: skip
"""What may be said where: how to tell that it is well said, how to say it, and what it becomes."""


SILENT = frozenset({"externalNames"})
"""What no compose file writes, and a shipped policy always sets."""


def said(section: str, value: Json) -> Iterator[tuple[str, Key]]:
    """The rows of one `x-tycho`."""
    words = WORDS.get("services" if section == "jobs" else section, {})
    if not isinstance(value, Mapping):
        yield "", rejected("it is not a mapping", f"x-tycho: {{{next(iter(words), 'kind')}: …}}")
        return
    for word, about in value.items():
        if word not in words:
            yield f".{word}", rejected("x-tycho has no such key", f"known here: {', '.join(words) or 'none'}")
        elif not words[word][0](about):
            yield f".{word}", rejected(f'"{about}" is not one', f"write {words[word][1]}")
        elif word not in SILENT:
            yield f".{word}", words[word][2]
