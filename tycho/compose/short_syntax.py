"""Attributes with a short and a long syntax, or a syntax of their own, that have no module to themselves.

Source: Compose Specification, the sections of the same names; compose-go's `transform` and `types` packages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tycho.compose.attribute import Convert
from tycho.compose.context import Context, InvalidValue
from tycho.compose.converters import (
    boolean,
    command,
    fixed_int,
    list_of,
    pairs_of,
    passthrough,
    string,
    templated_str,
)
from tycho.compose.go_scalars import format_go
from tycho.compose.merge import DEPENDENCY, context_to_map, names_to_map, pairs_to_map
from tycho.compose.yaml_nodes import YamlNode, as_entries, from_python
from tycho.model import Expr

string_options = pairs_of(string, absent="")


def extra_hosts(ctx: Context, node: YamlNode, path: str) -> dict[str, list[str]]:
    """Convert `extra_hosts`: a mapping, or a list of `host=ip` or `host:ip`; several addresses behind commas."""
    hosts: dict[str, list[str]] = {}
    if isinstance(node.value, list):
        for text in list_of()(ctx, node, path):
            host, separator, addresses = text.partition("=" if "=" in text else ":")
            if not separator:
                raise InvalidValue(f"invalid additional host, missing IP: {text}", 'write "host=10.0.0.1"')
            hosts.setdefault(host, []).extend(addresses.split(","))
    for host, child in node.map.items():
        hosts[host] = list_of()(ctx, child, f"{path}.{host}") if child.value is not None else [""]
    for host in hosts:
        if not host or set(host) & set(":="):
            raise InvalidValue(f"bad host name '{host}'", 'write "host=10.0.0.1"')
    return {host: [_without_brackets(address) for address in addresses] for host, addresses in hosts.items()}


def _without_brackets(address: str) -> str:
    return address[1:-1] if len(address) > 2 and address[0] == "[" and address[-1] == "]" else address


def healthcheck_test(ctx: Context, node: YamlNode, path: str) -> list[str]:
    """Convert `healthcheck.test`: a text is for the shell."""
    if isinstance(node.value, list):
        return command(ctx, node, path) or []
    return ["CMD-SHELL", templated_str(ctx, node, path)]


def lifecycle_hook(long: Convert) -> Convert:
    """Convert `post_start[]` or `pre_stop[]`; one without a command has an empty one."""

    def convert(ctx: Context, node: YamlNode, path: str) -> dict[str, Any]:
        hook: dict[str, Any] = long(ctx, node, path)
        return {**hook, "command": hook.get("command") or []}

    return convert


def integer_or_string(ctx: Context, node: YamlNode, path: str) -> str:
    """Convert an entry of `expose` or `group_add`: text, or a number without a fraction."""
    if isinstance(node.value, float):
        raise InvalidValue(f"unsupported value {node.value}", "write a whole number, or text")
    return string(ctx, node, path)


def ulimit(long: Convert) -> Convert:
    """Convert an entry of `ulimits`: one limit, or a soft and a hard one."""
    return lambda ctx, node, path: (
        long(ctx, node, path) if isinstance(node.value, dict) else int(fixed_int(ctx, node, path))
    )


def build(long: Convert) -> Convert:
    """Convert `build`: a mapping, or a context alone."""

    def convert(ctx: Context, node: YamlNode, path: str) -> dict[str, Any]:
        short = isinstance(node.value, str)
        fields = {"context": string(ctx, node, path)} if short else long(ctx, node, path)
        if "dockerfile_inline" not in fields:
            fields.setdefault("dockerfile", "Dockerfile")
        return {"context": ".", **fields}

    return convert


def long_build(node: YamlNode) -> YamlNode:
    """Write a build in long syntax, with its defaults."""
    build = {"context": node.with_value("."), **context_to_map(node).map}
    default = {} if "dockerfile_inline" in build else {"dockerfile": node.with_value("Dockerfile")}
    return node.with_value({**default, **build})


def build_arguments(ctx: Context, node: YamlNode, path: str) -> dict[str, str]:
    """Convert `build.args`: one without a value takes the environment's, or is left out."""
    arguments = {}
    for key, value in pairs_of(string, trimmed=True)(ctx, node, path).items():
        if value is None:
            file, line = ctx.find_place(f"{path}.{key}")
            ctx.record_variable(key, f"{path}.{key}", file, line, live=False)
        if (known := ctx.env.get(key) if value is None else value) is not None:
            arguments[key] = known
    return arguments


def set_arguments(node: YamlNode) -> YamlNode:
    """Leave out the build arguments that have no value of their own."""
    if isinstance(node.value, dict):
        return node.with_value({key: child for key, child in node.map.items() if child.value is not None})
    return node.with_value([child for child in node.seq if "=" in str(child.value)])


def ssh_keys(ctx: Context, node: YamlNode, path: str) -> dict[str, str]:
    """Convert `build.ssh`: names, each with the path of a key or nothing."""
    keys: dict[str, str] = {}
    for text in list_of()(ctx, node, path) if isinstance(node.value, list) else ():
        name, equals, key = text.partition("=")
        if not equals and name != "default":
            raise InvalidValue(f'invalid ssh key "{text}"', 'write "name=path", or "default"')
        keys[name] = key
    for name, child in node.map.items():
        keys[name] = format_go(child.value) if child.value is not None else ""
    return keys


def long_pairs(absent: str | None) -> Callable[[YamlNode], YamlNode]:
    """Write a list of `key=value` as a mapping; an empty value is `absent`."""

    def write(node: YamlNode) -> YamlNode:
        pairs = pairs_to_map(node).map.items()
        return node.with_value({key: child if child.value else child.with_value(absent) for key, child in pairs})

    return write


def additional_contexts(ctx: Context, node: YamlNode, path: str) -> dict[str, str]:
    """Convert `build.additional_contexts`: a mapping, or a list of `name=context`."""
    for child in node.seq:
        if "=" not in str(child.value):
            raise InvalidValue(f"invalid value {child.value}, expected key=value", 'write "name=context"')
    contexts: dict[str, str] = string_options(ctx, node, path)
    return contexts


def attestation(ctx: Context, node: YamlNode, path: str) -> str:
    """Convert `build.provenance` or `build.sbom`: a boolean or text, as text."""
    return string(ctx, node, path) if isinstance(node.value, str) else format_go(node.value)


def long_attestation(node: YamlNode) -> YamlNode:
    """Write an attestation as text."""
    return node if isinstance(node.value, str) else node.with_value(format_go(node.value))


def provider_options(ctx: Context, node: YamlNode, path: str) -> dict[str, list[str]]:
    """Convert `provider.options`, of which each may be given several times."""
    options = {key: list_of()(ctx, child, f"{path}.{key}") for key, child in node.map.items()}
    return {key: values for key, values in options.items() if values}


def service_model(long: Convert) -> Convert:
    """Convert an entry of `models` of a service."""
    return lambda ctx, node, path: None if node.value is None else long(ctx, node, path)


def service_network(long: Convert) -> Convert:
    """Convert an entry of `networks` of a service; Compose's canonical form tells `{}` from nothing at all."""
    return lambda ctx, node, path: {} if node.value is None else long(ctx, node, path) or {"aliases": ()}


def schedule(ctx: Context, node: YamlNode, path: str) -> Any:
    """Convert an entry of `triggers.schedule`: a cron expression, or a mapping that holds one."""
    return {"cron": string(ctx, node, path)} if isinstance(node.value, str) else passthrough(ctx, node, path)


def external(ctx: Context, node: YamlNode, path: str) -> bool:
    """Convert `external`: a boolean, or the mapping with a name that is no longer recommended."""
    return True if isinstance(node.value, dict) else boolean(ctx, node, path)


def top_level_element(long: Convert) -> Convert:
    """Convert an entry of networks, volumes, configs or secrets."""

    def convert(ctx: Context, node: YamlNode, path: str) -> dict[str, Any]:
        fields: dict[str, Any] = long(ctx, node, path)
        legacy = element.get("name") if (element := node.get("external")) else None
        if legacy is not None:
            ctx.warnings.append(legacy.problem(path, "external.name is deprecated. Please set name and external: true"))
            name = templated_str(ctx, legacy, f"{path}.external.name")
            if fields.setdefault("name", name) != name:
                raise InvalidValue("name and external.name conflict; only use name", "write external: true")
        return fields

    return convert


def device_count(ctx: Context, node: YamlNode, path: str) -> int:
    """Convert the number of devices of a request; -1 is all."""
    return -1 if str(node.value).lower() == "all" else int(fixed_int(ctx, node, path))


def name_servers(ctx: Context, node: YamlNode, path: str) -> list[str]:
    """Convert `dns`, without the entries that are empty by themselves."""
    servers = list_of(templated_str)(ctx, node, path)
    return [server for server in servers if server or isinstance(server, Expr)]


def set_entries(node: YamlNode) -> YamlNode:
    """Write a list, or the text that stands for it, without empty entries."""
    return node.with_value([child for child in as_entries(node) if child.value])


def long_list(node: YamlNode) -> YamlNode:
    """Write a text that stands for a list as a list."""
    return node.with_value(as_entries(node))


def long_names(default: Mapping[str, Any] | None = None) -> Callable[[YamlNode], YamlNode]:
    """Write a list of names as a mapping, each with the default below what is there."""

    def write(node: YamlNode) -> YamlNode:
        names = names_to_map(node, default)
        if not default:
            return names
        below = from_python(dict(default), node).map
        return names.with_value({key: child.with_value({**below, **child.map}) for key, child in names.map.items()})

    return write


def long_dependencies(node: YamlNode) -> YamlNode:
    """Write `depends_on` in long syntax."""
    return long_names(DEPENDENCY)(node)


def long_command(node: YamlNode) -> YamlNode:
    """Write an empty command as none."""
    return node.with_value(None) if node.value == [] else node


def long_pull_policy(node: YamlNode) -> YamlNode:
    """Write a pull policy by its present name."""
    return node.with_value("missing") if node.value == "if_not_present" else node
