"""`x-tycho`: what belongs to the chart, and Compose has no word for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from tycho.chart.chart import ReportTarget
from tycho.chart.expressions import SIZE
from tycho.chart.routes import URL_WORDS
from tycho.chart.translate.claims import find_claim
from tycho.chart.translate.health import KEY, LIVENESS, PROBE, is_probe, is_words
from tycho.chart.translate.key_rule import KeyRule, rejected, translated
from tycho.chart.translate.key_use import (
    RELEASE,
    FieldPlace,
    KeyUse,
    container,
    env_secret,
    locate,
    peers,
    pod,
    workload,
)
from tycho.chart.workload_kind import KINDS
from tycho.expiry import is_duration, is_idle
from tycho.expiry.terms import ACTIONS
from tycho.model import Json

Check = Callable[[Json], bool]
MODES = frozenset({"ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"})
TEXTS_OF_CHART = ("appVersion", "home", "icon", "license")
LISTS_OF_CHART = ("keywords", "sources")
IDENTITY = ("guid", "username", "host")
"""What containers may be told of the system that they are a part of."""
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
CRON = re.compile(r"@[a-z]+|\S+( +\S+){4}")


def _has_keys(*known: str) -> Check:
    return lambda value: isinstance(value, Mapping) and set(value) <= set(known)


def _is_chart(value: Json) -> bool:
    """Tell whether a value is about the chart, in Chart.yaml's words."""
    if not isinstance(value, Mapping) or not set(value) <= {*TEXTS_OF_CHART, *LISTS_OF_CHART, "maintainers"}:
        return False
    people = value.get("maintainers", [])
    return (
        all(isinstance(value[key], str) for key in TEXTS_OF_CHART if key in value)
        and all(is_words(value[key]) for key in LISTS_OF_CHART if key in value)
        and isinstance(people, list | tuple)
        and all(isinstance(person, Mapping) and person.get("name") and _is_person(person) for person in people)
    )


def _is_person(person: Mapping[str, Json]) -> bool:
    return set(person) <= {"name", "email", "url"} and all(isinstance(text, str) for text in person.values())


def find_host_paths(use: KeyUse) -> Iterator[ReportTarget]:
    """Find the volumes that are paths of the node."""
    for volume in use.pod.volumes:
        if volume.kind == "hostPath" and any(mounted.volume == volume.name for mounted in use.container.mounts):
            yield locate(use.pod, "pod", f"volumes[{volume.name}].hostPath")


def find_ingress(use: KeyUse) -> Iterator[ReportTarget]:
    """Find the Ingress of a service."""
    yield ReportTarget("Ingress", f"{RELEASE}-{use.container.name}")


def find_ingresses(use: KeyUse) -> Iterator[ReportTarget]:
    """Find every Ingress that is switched on."""
    for owner in use.layout.workloads:
        for each in owner.containers:
            if each.ingress and each.ingress.enabled:
                yield ReportTarget("Ingress", f"{RELEASE}-{each.name}")


def find_policies(use: KeyUse) -> Iterator[ReportTarget]:
    """Find the policies of networks."""
    for network in use.layout.networks if use.layout.isolated else ():
        yield ReportTarget("NetworkPolicy", f"{RELEASE}-network-{network.slug}")


def find_secret_files(use: KeyUse) -> Iterator[ReportTarget]:
    """Find the Secrets of files that are secret."""
    for tree in use.layout.configmaps:
        if tree.secrets:
            yield ReportTarget("Secret", f"{RELEASE}-{tree.slug}-secret-files")


def find_secret_entries(use: KeyUse) -> Iterator[ReportTarget]:
    """Find the Secret of a service's environment, if it has one."""
    if use.container.env.has_secret:
        yield from container("env")(use)
        yield from env_secret("")(use)


def _are_variables(value: Json) -> bool:
    return is_words(value) and all(VARIABLE.fullmatch(str(name)) for name in value)


def _key(check: Check, example: str, words: str, *places: FieldPlace) -> tuple[Check, str, KeyRule]:
    return check, example, translated(words, *places)


def _is_flag(value: Json) -> bool:
    return isinstance(value, bool)


LIMITED = "labels of the release, by which `tycho reap` ends it"
ROUTE = "its URL: an Ingress or an HTTPRoute, if the operator set a URL template (live)"
ROUTE_VARIABLES = "env: the path of its URL, if the operator set a URL template (live)"


def _is_group(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31


def _is_identity(value: Json) -> bool:
    return isinstance(value, Mapping) and all(
        VARIABLE.fullmatch(str(name)) and word in IDENTITY for name, word in value.items()
    )


EXTENSION_KEYS: Mapping[str, Mapping[str, tuple[Check, str, KeyRule]]] = {
    "": {
        "grants": _key(is_words, '["annotations.example.k8s.io/*"]', "rights that a policy granted"),
        "externalNames": _key(is_words, '["shared-*"]', "names of objects that exist"),
        "root": _key(lambda value: isinstance(value, str), "..", "decided when the file is read"),
        "secretFiles": _key(is_words, '["*.key", "!public.key"]', "Secrets of the release", find_secret_files),
        "networkPolicy": _key(_is_flag, "true or false", "NetworkPolicies", find_policies),
        "chart": _key(_is_chart, "{appVersion, keywords, home, icon, sources, maintainers, license}", "Chart.yaml"),
        "ingress": _key(
            _has_keys("className", "annotations", "tls"),
            "{className, annotations, tls}",
            "Ingress (live)",
            find_ingresses,
        ),
        "secretEnvironment": _key(is_words, '["*password"]', "which names are secret, in every service"),
        "identityVariables": _key(
            _is_identity, "{GUID: guid, USER: username}", "env of every container, set by the release"
        ),
        "portalLabels": _key(_is_flag, "true or false", "labels of pods, set by the release"),
        "ttl": _key(is_duration, "8h", LIMITED),
        "idle": _key(is_idle, "{after: 2h, service: web, port: 8888, path: /api/status}", LIMITED),
        "expire": _key(lambda value: value in ACTIONS, "one of pause, down", LIMITED),
    },
    "services": {
        "kind": _key(lambda value: value in KINDS, f"one of {', '.join(KINDS)}", "kind of workload", workload("")),
        "headless": _key(_is_flag, "true", "a name of the pods' own addresses", peers("spec.clusterIP")),
        "schedule": _key(
            lambda value: bool(CRON.fullmatch(str(value))), '"0 3 * * *"', "CronJob", workload("spec.schedule")
        ),
        "ingress": _key(_has_keys("host", "path", "port"), "{host, path, port}", "Ingress (live)", find_ingress),
        "url": _key(lambda value: value in URL_WORDS, "keep, strip or none", ROUTE),
        "urlVariables": _key(_are_variables, "[NB_PREFIX]", ROUTE_VARIABLES),
        "secretEnvironment": _key(
            is_words, '["*password", "!SORT_KEY"]', "a Secret of the release", find_secret_entries
        ),
        "grants": _key(is_words, '["cap_add=NET_ADMIN"]', "rights that a policy granted"),
        KEY: _key(is_probe, PROBE, "readinessProbe", container("readinessProbe")),
        LIVENESS: _key(is_probe, PROBE, "livenessProbe", container("livenessProbe")),
        "fsGroup": _key(_is_group, "1000", "fsGroup of the pod", pod("securityContext.fsGroup")),
        "storage": _key(_is_flag, "true or false", "claims, or none, for writable binds"),
        "hostPaths": _key(is_words, "[/dev/net/tun]", "hostPath volumes", find_host_paths),
    },
    "volumes": {
        "size": _key(
            lambda value: bool(SIZE.fullmatch(str(value))),
            "10g",
            "size of the claim (live)",
            find_claim("spec.resources.requests.storage"),
        ),
        "class": _key(
            lambda value: isinstance(value, str), "fast", "storageClassName (live)", find_claim("spec.storageClassName")
        ),
        "accessModes": _key(
            lambda value: is_words(value) and set(value) <= MODES,
            "[ReadWriteMany]",
            "accessModes (live)",
            find_claim("spec.accessModes"),
        ),
    },
}
"""What may be said where: how to tell that it is well said, how to say it, and what it becomes."""


UNREPORTED = frozenset({"externalNames"})
"""What no compose file writes, and a shipped policy always sets."""


def assess_extension(section: str, value: Json) -> Iterator[tuple[str, KeyRule]]:
    """Assess one `x-tycho`.

    Args:
        section: Of the compose file, "" for the top level.
        value: What it says.
    """
    words = EXTENSION_KEYS.get("services" if section == "jobs" else section, {})
    if not isinstance(value, Mapping):
        yield "", rejected("it is not a mapping", f"write x-tycho: {{{next(iter(words), 'kind')}: …}}")
        return
    for word, setting in value.items():
        if word not in words:
            yield f".{word}", rejected("x-tycho has no such key", f"write one of: {', '.join(words) or 'none'}")
        elif not words[word][0](setting):
            yield f".{word}", rejected(f'"{setting}" is not a valid value', f"write {words[word][1]}")
        elif word not in UNREPORTED:
            yield f".{word}", words[word][2]
