"""Write values.schema.json (draft-07). Tycho's own levels allow no other keys, so that a typo in `--set` fails."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping

from tycho.chart.container import Container, Expression
from tycho.chart.layout import ChartLayout
from tycho.chart.settings import (
    FLAG,
    KEYS,
    OBJECT,
    OBJECTS,
    OWN_KEYS,
    RENAMED,
    RENAMED_OF_SERVICE,
    SETTINGS,
    STRINGS,
    TEXT,
    TEXTS,
    Schema,
    strict_object,
)
from tycho.chart.values import list_unused_keys
from tycho.chart.workload import Workload
from tycho.chart.yaml_writer import Commented, YamlValue

WIDTH = 180  # columns of one line
SHORT = 130  # columns of an entry that may share a line
GROUPED: tuple[Schema, ...] = (OBJECTS, {"type": "object"}, TEXT, STRINGS)
"""Types that keys of Kubernetes have: those of one type share a line."""
UNUSED: Schema = {"$ref": "#/$defs/unused"}
PATH_TYPES = ["Prefix", "Exact", "ImplementationSpecific"]
NAMED = 50  # keys that are listed as required; of more, whose names a release has no room for, their number says it
LARGEST_EXACT = 2**53 - 1  # Helm reads a larger number of a file of values as another

REQUIRED_DEFAULTS = (
    "image", "securityContext", "podAnnotations", "podLabels", "workloadAnnotations", "affinity", "service"
)  # fmt: skip
"""Keys of `defaults` that templates read further in: null would take them away."""

DEFINITIONS: Mapping[str, Schema] = {
    "image": strict_object({
        "repository": TEXT,
        "tag": {"type": ["string", "integer"], "maximum": LARGEST_EXACT},
        "digest": TEXT,
        "reference": TEXT,
        "builtAs": TEXT,
        "pullPolicy": {"enum": ["Always", "IfNotPresent", "Never"]},
    }),
    "resources": strict_object({"limits": OBJECT, "requests": OBJECT, "claims": OBJECTS}),
    "env": {
        "type": "object",
        "additionalProperties": {
            "type": ["string", "boolean", "integer", "object", "null"],
            "maximum": LARGEST_EXACT,
        },
    },
    "published": strict_object({
        "type": {"enum": ["LoadBalancer", "NodePort", "ClusterIP"]},
        "annotations": STRINGS,
        "loadBalancerSourceRanges": TEXTS,
        "ports": {"type": ["object", "null"], "additionalProperties": {"$ref": "#/$defs/port"}},
    }),
    "port": strict_object({
        "port": {"$ref": "#/$defs/number"},
        "targetPort": {"$ref": "#/$defs/number"},
        "nodePort": {"type": "integer"},
        "protocol": {"enum": ["TCP", "UDP", "SCTP"]},
        "appProtocol": TEXT,
    }, required=("port", "targetPort", "protocol")),
    "route": strict_object({
        "enabled": FLAG, "ingressClassName": TEXT, "annotations": STRINGS, "path": TEXT, "hosts": TEXTS,
        "tls": OBJECTS, "hostnames": TEXTS, "parentRefs": OBJECTS,
    }),
    "claim": strict_object({
        "size": TEXT, "storageClass": TEXT, "accessModes": TEXTS, "existingClaim": TEXT, "subPath": TEXT,
        "annotations": STRINGS,
    }, required=("size", "accessModes", "annotations")),
    "secret": strict_object({"existingSecret": TEXT, "key": TEXT, "value": TEXT}, required=("key",)),
    "config": strict_object({"existingConfigMap": TEXT, "key": TEXT, "content": TEXT}),
    "variable": {"type": ["string", "integer", "boolean", "null"]},
    "unused": {"const": "not used by this service"},
    "replicas": {"type": "integer", "minimum": 0},
    "number": {"type": "integer", "minimum": 1, "maximum": 65535},
    "live": {"type": "string", "pattern": "[$]"},
    "texts": {"type": "array", "items": TEXT},
    "objects": {"type": "array", "items": OBJECT},
    "strings": {"type": "object", "additionalProperties": {"type": ["string", "null"]}},
    "label": {"type": "string", "pattern": "^([A-Za-z0-9]([-._A-Za-z0-9]{0,61}[A-Za-z0-9])?)?$"},
}  # fmt: skip
"""Schemas that others refer to."""


def chart_schema(layout: ChartLayout, values: Mapping[str, YamlValue]) -> str:
    """Write the schema of a chart's values: strict at Tycho's own levels, and without keys that do nothing."""
    shut: dict[str, frozenset[str]] = {}
    live: dict[str, frozenset[str]] = {}
    for container, workload in layout.placed_containers:
        shut[container.service] = frozenset(list_unused_keys(workload, container))
        live[container.service] = frozenset(_list_live_keys(workload, container))
    idle = frozenset(OWN_KEYS).intersection(*shut.values())
    open_keys = frozenset[str]().union(*live.values())
    services = {name: _service(keys - idle, open_keys - keys - live[name]) for name, keys in shut.items()}
    properties: dict[str, Schema] = {}
    if layout.variables:
        properties["variables"] = strict_object({name: {"$ref": "#/$defs/variable"} for name in layout.variables})
    properties["services"] = _whole_object(services)
    for section, definition in (("persistence", "claim"), ("configs", "config"), ("secrets", "secret")):
        if section in values:
            names = _keys(values[section])
            properties[section] = _whole_object({name: {"$ref": f"#/$defs/{definition}"} for name in names})
    if "secretFiles" in values:
        properties["secretFiles"] = strict_object(
            {
                entry.slug: strict_object(dict.fromkeys(entry.secrets, TEXT))
                for entry in layout.configmaps
                if entry.secrets
            }
        )
    everywhere = open_keys.intersection(*live.values())
    defaults = _service(frozenset(OWN_KEYS) - idle, open_keys.difference(OWN_KEYS, everywhere))
    properties["defaults"] = {**defaults, "required": list(REQUIRED_DEFAULTS)}
    properties |= {name: _setting(name, values[name]) for name in values if SETTINGS[name].schema}
    required = [name for name in properties if isinstance(_plain(values[name]), Mapping)]
    properties["enabled"] = FLAG
    properties |= {name: {"const": f"renamed: {new}"} for name, new in RENAMED.items() if name not in properties}
    definitions = {"service": _all_keys(idle, open_keys), **DEFINITIONS}
    if any(container.ingress and container.ingress.has_url for container in layout.containers):
        route = {**DEFINITIONS["route"]["properties"], "pathType": {"enum": PATH_TYPES}, "filters": OBJECTS}
        definitions["route"] = strict_object(route)
    if any(isinstance(port.port, Expression) for container in layout.containers for port in container.published):
        port = {"anyOf": [{"$ref": "#/$defs/number"}, {"$ref": "#/$defs/live"}]}
        fields = {**DEFINITIONS["port"]["properties"], "port": port}
        definitions["port"] = {**DEFINITIONS["port"], "properties": fields}
    document: dict[str, Schema | str] = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        **strict_object(properties, required),
        "$defs": dict(_used(properties, definitions)),
    }
    return "\n".join(_lines(document, "")) + "\n"


def _setting(name: str, tree: YamlValue) -> Schema:
    """Return the schema of a setting, with the keys that this chart has."""
    schema, present = SETTINGS[name].schema, _keys(tree)
    if "properties" not in schema:
        return schema
    properties = {key: child for key, child in schema["properties"].items() if key in present}
    needed = [key for key in schema.get("required", ()) if key in present]
    return strict_object(properties, needed)


def _whole_object(properties: Mapping[str, Schema]) -> Schema:
    """Return the schema of an object that has all of these keys, and no other: null takes none away."""
    if len(properties) <= NAMED:
        return strict_object(properties, tuple(properties))
    return {**strict_object(properties), "minProperties": len(properties)}


def _plain(tree: YamlValue) -> YamlValue:
    return tree.value if isinstance(tree, Commented) else tree


def _keys(tree: YamlValue) -> list[str]:
    value = _plain(tree)
    return list(value) if isinstance(value, Mapping) else []


def _list_live_keys(workload: Workload, container: Container) -> Iterator[str]:
    """List the keys whose variables the templates expand: there a text may stand for a number, or for words."""
    if isinstance(workload.replicas, Expression) and container is workload.containers[0]:
        yield "replicas"
    if container.command.is_live:
        yield "command"
    if container.args.is_live:
        yield "args"


def _all_keys(idle: Collection[str], live: Collection[str]) -> Schema:
    """Return the schema of a service, without keys that none uses; former names are refused with the new one."""
    single: dict[str, Schema] = {}
    groups: dict[str, list[str]] = {}
    for name, setting in KEYS.items():
        if name in idle:
            continue
        if name in live:
            single[name] = {"anyOf": [setting.schema, {"$ref": "#/$defs/live"} if name == "replicas" else TEXT]}
        elif setting.schema in GROUPED:
            groups.setdefault(json.dumps(setting.schema), []).append(name)
        else:
            single[name] = setting.schema
    old: dict[str, Schema] = {name: {"const": f"renamed: {new}"} for name, new in RENAMED_OF_SERVICE.items()}
    patterns: dict[str, Schema] = {f"^({'|'.join(names)})$": json.loads(text) for text, names in groups.items()}
    return {**strict_object({**single, **old}, required=("image",)), "patternProperties": patterns}


def _service(shut: Collection[str], plain: Collection[str]) -> Schema:
    """Return the schema of one service.

    Args:
        shut: Keys that would do nothing for it.
        plain: Keys whose variables are expanded for others, and not for it.
    """
    whole: Schema = {"$ref": "#/$defs/service"}
    narrower = {**dict.fromkeys(sorted(shut), UNUSED), **{name: KEYS[name].schema for name in sorted(plain)}}
    return {"allOf": [whole, {"properties": narrower}]} if narrower else whole


def _used(properties: Mapping[str, Schema], definitions: Mapping[str, Schema]) -> Iterator[tuple[str, Schema]]:
    """Yield the definitions that are referred to, in their order."""
    asked, known = list(_references(properties)), set[str]()
    while asked:
        name = asked.pop()
        if name not in known:
            known.add(name)
            asked += _references(definitions[name])
    yield from ((name, schema) for name, schema in definitions.items() if name in known)


def _references(schema: object) -> Iterator[str]:
    if isinstance(schema, Mapping):
        for name, child in schema.items():
            if name == "$ref":
                yield str(child).removeprefix("#/$defs/")
            else:
                yield from _references(child)
    elif isinstance(schema, list):
        for child in schema:
            yield from _references(child)


def _lines(value: object, indent: str) -> Iterator[str]:
    """Write JSON, in one line what fits."""
    short = json.dumps(value, ensure_ascii=False)
    if len(indent) + len(short) <= WIDTH or not isinstance(value, Mapping):
        yield short
        return
    *before, (last, inner) = value.items()
    head = json.dumps(dict(before), ensure_ascii=False)[:-1] + (", " if before else "") + f"{json.dumps(last)}: "
    if isinstance(inner, Mapping) and len(indent) + len(head) < WIDTH:
        opened, *further = _lines(inner, indent)
        if further:
            *further, closing = further
            yield from (head + opened, *further, closing + "}")
            return
    yield "{"
    entries = [(name, list(_lines(child, indent + "  "))) for name, child in value.items()]
    packed: list[list[str]] = []
    room = 0  # columns that the last line has left for a further short entry
    for index, (name, (first, *further)) in enumerate(entries):
        end = "," if index < len(entries) - 1 else ""
        lines = [f"{json.dumps(name)}: {first}", *further]
        lines[-1] += end
        if not further and len(lines[0]) < min(room, SHORT):
            packed[-1][0] += f" {lines[0]}"
            room -= len(lines[0]) + 1
        else:
            packed.append(lines)
            room = WIDTH - len(indent) - len(lines[0]) if not further and len(lines[0]) < SHORT else 0
    for first, *further in packed:
        yield f"{indent}  {first}"
        yield from further
    yield f"{indent}}}"
