"""`x-tycho`: what belongs to the chart, and Compose has no word for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from tycho.chart.keys.key import Key, rejected, translated
from tycho.chart.kinds import KINDS
from tycho.chart.translate.health import KEY, PROBE, is_probe
from tycho.model import Json

Check = Callable[[Json], bool]
MODES = frozenset({"ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"})
SIZE = re.compile(r"(?i)[0-9]+(\.[0-9]+)? ?([kmgtp]i?)?b?")
TEXTS_OF_CHART = ("appVersion", "home", "icon", "license")
LISTS_OF_CHART = ("keywords", "sources")
CRON = re.compile(r"@[a-z]+|\S+( +\S+){4}")


def _texts(value: Json) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(one, str) for one in value)


def _keys(*known: str) -> Check:
    return lambda value: isinstance(value, Mapping) and set(value) <= set(known)


def _is_chart(value: Json) -> bool:
    """Tell whether a value is about the chart, in Chart.yaml's words."""
    if not isinstance(value, Mapping) or not set(value) <= {*TEXTS_OF_CHART, *LISTS_OF_CHART, "maintainers"}:
        return False
    people = value.get("maintainers", [])
    return (
        all(isinstance(value[key], str) for key in TEXTS_OF_CHART if key in value)
        and all(_texts(value[key]) for key in LISTS_OF_CHART if key in value)
        and isinstance(people, list | tuple)
        and all(isinstance(person, Mapping) and person.get("name") and _is_person(person) for person in people)
    )


def _is_person(person: Mapping[str, Json]) -> bool:
    return set(person) <= {"name", "email", "url"} and all(isinstance(text, str) for text in person.values())


WORDS: Mapping[str, Mapping[str, tuple[Check, str, Key]]] = {
    "": {
        "grants": (_texts, '["annotations.example.k8s.io/*"]', translated("rights that a policy granted")),
        "externalNames": (_texts, '["shared-*"]', translated("names of objects that exist")),
        "root": (lambda v: isinstance(v, str), "..", translated("decided when the file is read")),
        "secretFiles": (_texts, '["*.key", "!public.key"]', translated("Secrets of the release")),
        "networkPolicy": (lambda v: isinstance(v, bool), "true or false", translated("NetworkPolicies")),
        "chart": (
            _is_chart, "{appVersion, keywords, home, icon, sources, maintainers, license}", translated("Chart.yaml")
        ),
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
