"""What the enabled services point to: env files, label files, configs, secrets; and the caller's variables.

Source: compose-go's `WithServicesEnvironmentResolved` and `WithServicesLabelsResolved`.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterator, Mapping
from typing import Any

from tycho.compose import dotenv
from tycho.compose.context import Context
from tycho.compose.implied import each
from tycho.compose.invalid import NO_TEXT, check_variables, is_text
from tycho.errors import SourceError
from tycho.model import Expr, File

Fields = dict[str, Any]


def read(ctx: Context, fields: Fields) -> None:
    """Read all side files; the fields take what they hold."""
    for path, service in containers(fields):
        _pass(ctx, service, f"{path}.environment")
        _env_files(ctx, service, f"{path}.env_file")
        _label_files(ctx, service, f"{path}.label_file")
    used = {
        kind: {grant["source"] for _, service in containers(fields) for grant in service.get(kind, ())}
        for kind in ("configs", "secrets")
    }
    for kind in ("configs", "secrets"):
        for name, one in fields.get(kind, {}).items():
            if one.get("file") is not None:
                _content(ctx, one, f"{kind}.{name}.file", used=name in used[kind])
            elif (variable := one.get("environment")) is not None:
                value = _worth(ctx, variable, f"{kind}.{name}.environment")
                if kind == "secrets":
                    one["files"] = (File(path="", content=value.encode()),) if value is not None else None
                elif "content" not in one:
                    one["content"] = Expr(value or "", f"${{{variable}}}")
                    _read(ctx, variable, f"{kind}.{name}.environment")


def containers(fields: Fields) -> Iterator[tuple[str, Fields]]:
    """Every service and job, and the containers before them, each with its path."""
    for path, service in each(fields):
        yield path, service
        for i, hook in enumerate(service.get("pre_start", ())):
            yield f"{path}.pre_start[{i}]", hook


def _pass(ctx: Context, service: Fields, path: str) -> None:
    """Entries without a value take the caller's, or stay unset."""
    environment = service.get("environment", {})
    passed = tuple(key for key, value in environment.items() if value is None)
    for key in passed:
        environment[key] = _worth(ctx, key, f"{path}.{key}")
        _read(ctx, key, f"{path}.{key}")
    if passed:
        service["environment_pass"] = passed


def _worth(ctx: Context, variable: str, path: str) -> str | None:
    """What a variable is worth to a place that takes it whole; nothing where it holds no text."""
    if wrong := list(check_variables([variable], ctx.env)):
        ctx.problems += [ctx.placed(path, *about) for about in wrong]
        return None
    return ctx.env.get(variable)


def _read(ctx: Context, variable: str, path: str) -> None:
    ctx.read(variable, path, *ctx.at(path), live=True)


def _env_files(ctx: Context, service: Fields, path: str) -> None:
    own = {key: str(value) for key, value in service.get("environment", {}).items() if value is not None}
    known: dict[str, str] = dict(own)
    for i, one in enumerate(service.get("env_file", ())):
        at = f"{path}[{i}]"
        if "path" not in one:  # which was told already
            continue
        if one.get("format") not in (None, "raw"):
            said = f'unsupported env_file format "{one["format"]}"'
            ctx.problems.append(ctx.placed(at, said, "format: raw, or none"))
            continue
        needed = f"env file {one['path']} not found" if one.get("required", True) else ""
        entries = _variables(
            ctx, one["path"], at, ChainMap(dict(ctx.env), own), known, needed, one.get("format") == "raw"
        )
        if bad := [name for name, value in (entries or {}).items() if not is_text(value)]:
            ctx.problems.append(ctx.placed(at, f"{bad[0]} reads a variable, {NO_TEXT}", "set that variable to text"))
        elif entries is not None:
            one["entries"] = entries


def _label_files(ctx: Context, service: Fields, path: str) -> None:
    known: dict[str, str] = {}
    for i, file in enumerate(service.get("label_file", ())):
        _variables(ctx, file, f"{path}[{i}]", {}, known, f"label file {file} not found")
    if known:
        service["labels"] = {**known, **service.get("labels", {})}


def _variables(
    ctx: Context, file: str, path: str, env: Mapping[str, str], known: dict[str, str], needed: str, raw: bool = False
) -> dict[str, str] | None:
    """What one file adds to what is known; None where there is no such file."""
    full = ctx.sources.path(file) if file else ""
    before = _Added(known)
    try:
        text = ctx.sources.files.read(full)
        if text is not None:
            dotenv.parse(text, ctx.sources.shown(full), env, before, raw=raw)
            return before.added
        if needed:
            ctx.problems.append(ctx.placed(path, needed, "put it there, or write required: false"))
    except dotenv.Malformed as error:
        ctx.problems.append(error.problem)
    except SourceError as error:
        ctx.problems.append(ctx.placed(path, error.message, error.hint))
    return None


class _Added(dict[str, str]):
    """What is known, and beside it what was added."""

    def __init__(self, known: dict[str, str]) -> None:
        super().__init__(known)
        self.known, self.added = known, dict[str, str]()

    def __setitem__(self, key: str, value: str) -> None:
        super().__setitem__(key, value)
        self.known[key] = self.added[key] = value


def _content(ctx: Context, one: Fields, path: str, *, used: bool) -> None:
    one["files"], why = ctx.sources.files.tree(ctx.sources.path(one["file"]))
    if one["files"] is None and used:
        ctx.warnings.append(ctx.placed(path, f"{one['file']}: {why}", "put it there before the system is started"))
