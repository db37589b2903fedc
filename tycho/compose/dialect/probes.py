"""`ext.kube.livenessProbe` and `ext.kube.readinessProbe`: checks, in words of `x-tycho`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tycho.compose.dialect.extension import add_extension, read_digits
from tycho.compose.dialect.notes import Notes
from tycho.compose.yaml_nodes import YamlNode

TIMES: Mapping[str, str] = {
    "delay": "initialDelaySeconds", "period": "periodSeconds", "threshold": "failureThreshold",
}  # fmt: skip
ACTIONS: Mapping[str, tuple[str, ...]] = {
    "cmd": (), "httpGet": ("path", "port", "scheme", "httpHeaders"), "tcpSocket": ("port",),
}  # fmt: skip
PROBES = ("livenessProbe", "readinessProbe")
EXAMPLE = "{httpGet: {path: /ready, port: 8080}, delay: 5, period: 10, threshold: 3}"


def translate_probes(service: YamlNode, path: str, notes: Notes) -> None:
    """Translate the checks of a service; "none" is no check.

    Args:
        service: It changes.
        path: Its Compose path.
        notes: Where uses and problems go.
    """
    ext = service.map.pop("ext", None)
    if ext is None:
        return
    kube = ext.get("kube")
    for node, at in ((ext, f"{path}.ext"), (kube, f"{path}.ext.kube")):
        if node is not None and not isinstance(node.value, dict | None):
            notes.refused(node, at, "it is not a mapping", f"write ext: {{kube: {{readinessProbe: {EXAMPLE}}}}}")
    for key, node in ext.map.items():
        if key != "kube":
            notes.ignored(node, f"{path}.ext.{key}", "it says nothing of a cluster", "remove it")
    for key, probe in kube.map.items() if kube else ():
        at = f"{path}.ext.kube.{key}"
        if key not in PROBES:
            notes.ignored(probe, at, "Tycho does not know it", f"known here: {', '.join(PROBES)}")
        elif probe.value in (None, "none"):
            notes.translated(probe, at, "nothing: there is no probe")
        elif problem := _find_problem(probe):
            notes.refused(probe, at, problem, f"write {EXAMPLE}, or none")
        else:
            add_extension(service, key, probe.with_value(dict(_convert(probe))))
            notes.translated(probe, at, f"x-tycho.{key}", f"{path}.x-tycho.{key}")


def _find_problem(probe: YamlNode) -> str:
    """Say what is wrong with a check; "" for nothing."""
    actions = [key for key in ACTIONS if key in probe.map]
    unknown = [key for key in probe.map if key not in ACTIONS and key not in TIMES]
    if not isinstance(probe.value, dict):
        return f'"{probe.value}" is not a probe'
    if unknown:
        return f"a probe has no {', '.join(unknown)}"
    if len(actions) != 1:
        return f"a probe has one of {', '.join(ACTIONS)}, and this one has {' and '.join(actions) or 'none'}"
    action = probe.map[actions[0]]
    if actions[0] == "cmd":
        return "" if action.seq or isinstance(action.value, str) else "cmd is neither a command line nor a list"
    foreign = [key for key in action.map if key not in ACTIONS[actions[0]]]
    return f"{actions[0]} has no {', '.join(foreign)}" if foreign or not action.map else ""


def _convert(probe: YamlNode) -> Iterator[tuple[str, YamlNode]]:
    """Yield the fields of a probe as Kubernetes has them."""
    for key, node in probe.map.items():
        if key in TIMES:
            yield TIMES[key], read_digits(node)
        elif key == "cmd":
            words = list(node.seq) or [node.with_value(word) for word in ("/bin/sh", "-c", node.value)]
            yield "exec", node.with_value({"command": node.with_value(words)})
        elif key == "httpGet":
            fields = {"path": node.with_value("/"), "port": node.with_value(80), **node.map}
            yield key, node.with_value({name: _convert_http(name, child) for name, child in fields.items()})
        else:
            yield key, node.with_value({name: read_digits(child) for name, child in node.map.items()})


def _convert_http(name: str, node: YamlNode) -> YamlNode:
    """Write headers as a list, whichever way they are written."""
    if name == "httpHeaders" and isinstance(node.value, dict):
        pairs = [{"name": child.with_value(key), "value": child} for key, child in node.map.items()]
        return node.with_value([node.with_value(pair) for pair in pairs])
    return read_digits(node) if name == "port" else node
