"""What else has two shapes, or one of its own: hosts, hooks, limits, health checks, build keys, schedules.

Source: Compose Specification, the sections of the same names; compose-go's `transform` and `types` packages.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Any

from tycho.compose.context import Context, Unusable
from tycho.compose.converters import anything, count, flag, listed, live, mapping, section, text, words
from tycho.compose.extends import MAX_COPIED, clone
from tycho.compose.go_scalars import printed
from tycho.compose.merge import At, Unmergeable, merge
from tycho.compose.yaml_nodes import Node

options = mapping(text, absent="")


def hosts(ctx: Context, node: Node, path: str) -> dict[str, list[str]]:
    """`extra_hosts`: a mapping, or a list of `host=ip` or `host:ip`; several addresses behind commas."""
    found: dict[str, list[str]] = {}
    if isinstance(node.value, list):
        for said in listed()(ctx, node, path):
            host, separator, addresses = said.partition("=" if "=" in said else ":")
            if not separator:
                raise Unusable(f"invalid additional host, missing IP: {said}", 'write "host=10.0.0.1"')
            found.setdefault(host, []).extend(addresses.split(","))
    for host, child in node.map.items():
        found[host] = listed()(ctx, child, f"{path}.{host}") if child.value is not None else [""]
    for host in found:
        if not host or set(host) & set(":="):
            raise Unusable(f"bad host name '{host}'", 'write "host=10.0.0.1"')
    return {host: [_unbracketed(one) for one in addresses] for host, addresses in found.items()}


def _unbracketed(address: str) -> str:
    return address[1:-1] if len(address) > 2 and address[0] == "[" and address[-1] == "]" else address


def test(ctx: Context, node: Node, path: str) -> list[str]:
    """`healthcheck.test`: a string is for the shell."""
    if isinstance(node.value, list):
        return words(ctx, node, path) or []
    return ["CMD-SHELL", live(ctx, node, path)]


HOOK = {
    "command": words, "user": text, "privileged": flag, "working_dir": live, "environment": mapping(live),
}  # fmt: skip


def hook(ctx: Context, node: Node, path: str) -> dict[str, Any]:
    """`post_start[]` and `pre_stop[]`."""
    found: dict[str, Any] = section(HOOK)(ctx, node, path)
    return {**found, "command": found.get("command") or []}


def inherit(ctx: Context, tree: Node, attributes: Container[str]) -> None:
    """Give each `pre_start` hook what its service says of its container, volumes aside; the tree itself changes."""
    copied = 0
    for root in ("services", "jobs"):
        section = tree.get(root)
        for name, service in section.map.items() if section else ():
            hooks = service.get("pre_start")
            base = {key: one for key, one in service.map.items() if key in attributes and key != "volumes"}
            size = sum(child.size for child in base.values()) if hooks else 0
            for i, own in enumerate(hooks.seq if hooks else ()):
                copied += size
                if copied > MAX_COPIED:
                    message = f"hooks take over more than {MAX_COPIED} values of their services"
                    ctx.wrong(own, f"{root}.{name}.pre_start[{i}]", message, "run fewer hooks")
                    return
                if isinstance(own.value, dict):
                    written = own.with_value([own.with_value(key) for key in own.map])
                    at = At(f"{root}.{name}.pre_start[{i}]", "services.*")
                    try:
                        whole = merge(clone(own.with_value(base)), own, at)
                    except Unmergeable as error:
                        ctx.problems.append(error.problem)
                        continue
                    hooks.value[i] = whole.with_value({**whole.map, "written": written})  # type: ignore[union-attr]


def split(hook: dict[str, Any]) -> dict[str, Any]:
    """A `pre_start` hook as the model has it: its own keys, and under `rest` what any container may have."""
    ours = {*HOOK, "image", "per_replica", "written"}
    rest = {key: value for key, value in hook.items() if key not in ours}
    found = {key: value for key, value in hook.items() if key in ours}
    return {**found, "command": hook.get("command") or [], **({"rest": rest} if rest else {})}


def unbroken(ctx: Context, node: Node, path: str) -> str:
    """`expose[]` and `group_add[]`: text, or a number without a fraction."""
    if isinstance(node.value, float):
        raise Unusable(f"unsupported value {node.value}", "write a whole number, or text")
    return text(ctx, node, path)


def ulimit(ctx: Context, node: Node, path: str) -> int | dict[str, int]:
    """`ulimits.X`: one limit, or a soft and a hard one."""
    if isinstance(node.value, dict):
        found: dict[str, int] = section({"soft": count, "hard": count})(ctx, node, path)
        return found
    return int(count(ctx, node, path))


def context(ctx: Context, node: Node, path: str) -> dict[str, Any]:
    """A build that is only its context."""
    return {"context": text(ctx, node, path)}


def arguments(ctx: Context, node: Node, path: str) -> dict[str, str]:
    """`build.args`: one without a value takes the environment's, or falls away."""
    found = {}
    for key, value in mapping(text, trimmed=True)(ctx, node, path).items():
        if value is None:
            file, line = ctx.at(f"{path}.{key}")
            ctx.read(key, f"{path}.{key}", file, line, live=False)
        if (known := ctx.env.get(key) if value is None else value) is not None:
            found[key] = known
    return found


def keys(ctx: Context, node: Node, path: str) -> dict[str, str]:
    """`build.ssh`: names, each with the path of a key or nothing."""
    found: dict[str, str] = {}
    for said in listed()(ctx, node, path) if isinstance(node.value, list) else ():
        name, equals, key = said.partition("=")
        if not equals and name != "default":
            raise Unusable(f'invalid ssh key "{said}"', 'write "name=path", or "default"')
        found[name] = key
    for name, child in node.map.items():
        found[name] = printed(child.value) if child.value is not None else ""
    return found


def contexts(ctx: Context, node: Node, path: str) -> dict[str, str]:
    """`build.additional_contexts`: a mapping, or a list of `name=context`."""
    for child in node.seq:
        if "=" not in str(child.value):
            raise Unusable(f"invalid value {child.value}, expected key=value", 'write "name=context"')
    found: dict[str, str] = options(ctx, node, path)
    return found


def attestation(ctx: Context, node: Node, path: str) -> str:
    """`build.provenance` and `build.sbom`: a boolean or text, as text."""
    return text(ctx, node, path) if isinstance(node.value, str) else printed(node.value)


def many(ctx: Context, node: Node, path: str) -> dict[str, list[str]]:
    """`provider.options`: each may be given several times."""
    found = {key: listed()(ctx, child, f"{path}.{key}") for key, child in node.map.items()}
    return {key: said for key, said in found.items() if said}


def model(ctx: Context, node: Node, path: str) -> Any:
    """`models.X` of a service."""
    return None if node.value is None else section({"endpoint_var": text, "model_var": text})(ctx, node, path)


def schedule(ctx: Context, node: Node, path: str) -> Any:
    """`triggers.schedule[]`: a cron expression, or more about it."""
    return {"cron": text(ctx, node, path)} if isinstance(node.value, str) else anything(ctx, node, path)


def external(ctx: Context, node: Node, path: str) -> bool:
    """`external`: a boolean, or, as of old, a mapping with the name."""
    return True if isinstance(node.value, dict) else flag(ctx, node, path)
