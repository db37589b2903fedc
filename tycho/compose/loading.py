"""The straight line from sources to a system."""

from __future__ import annotations

import hashlib
from typing import Any

from tycho.compose import dotenv, tables
from tycho.compose.bind import Context, Unusable, anything, section
from tycho.compose.check import against_schema, consistent
from tycho.compose.gather import gather, project_name
from tycho.compose.source import Sources
from tycho.compose.tree import Node
from tycho.errors import ComposeError, Problem, SourceError
from tycho.model import File, System, template


def load(sources: Sources) -> System:
    """Compose text to a system.

    Args:
        sources: The texts and what is around them.

    Raises:
        ComposeError: With every problem that the files have.
        SourceError: A file is missing or cannot be read.
    """
    tree, problems, warnings = gather(sources)
    _stop(problems)
    name, problems = project_name(sources, tree)
    _stop([*problems, *_shape(tree), *against_schema(tree)])
    ctx = Context(sources)
    ctx.warnings += [*sources.warnings, *warnings]
    fields = _bound(ctx, tree)
    _stop(ctx.problems)
    _enable(fields, set(sources.profiles))
    _default_network(fields)
    _side_files(ctx, fields)
    system = System(name=name, **fields)
    consistent(system, lambda path, message, hint: ctx.problems.append(_placed(ctx, path, message, hint)))
    _stop(ctx.problems)
    return system.model_copy(
        update={
            "variables": ctx.seen(),
            "baked": {name: tuple(places) for name, places in sorted(ctx.baked.items())},
            "lines": {path: (sources.known_as(file), line) for path, (file, line) in ctx.lines.items()},
            "warnings": tuple(ctx.warnings),
            "digest": _digest(system),
        }
    )


def _stop(problems: list[Problem]) -> None:
    if problems:
        found = sorted(set(problems))
        raise ComposeError("1 problem" if len(found) == 1 else f"{len(found)} problems", problems=found)


def _placed(ctx: Context, path: str, message: str, hint: str) -> Problem:
    at = path
    while at not in ctx.lines and at:
        at = at[: max(at.rfind("."), at.rfind("["), 0)]
    file, line = ctx.lines.get(at, ("", 0))
    return Problem(file, line, path, message, hint)


def _shape(tree: Node) -> list[Problem]:
    """What is told best before the schema speaks."""
    if not tree.map:
        return [Problem(tree.file, 0, "", "empty compose file", "begin with services:")]
    if "services" not in tree.map and "jobs" not in tree.map and not any(
        key in tree.map for key in ("include", "volumes", "networks", "configs", "secrets", "models", "name", "version")
    ):  # fmt: skip
        first = next(iter(tree.map.values()))
        if any(child.get("image") or child.get("build") for child in tree.map.values()):
            said = "this is the version 1 format, which Compose no longer reads"
            return [first.problem("", said, "put the services under a key services:")]
    return []


def _bound(ctx: Context, tree: Node) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for key, child in tree.map.items():
        ctx.lines[key] = (child.file, child.line)
        if key.startswith("x-"):
            fields.setdefault("x", {})[key] = anything(ctx, child, key)
        elif key == "models":
            fields[key] = anything(ctx, child, key)
        elif key == "version":
            fields[key] = str(child.value)
            said = "the attribute `version` is obsolete, it will be ignored, please remove it to avoid potential confusion"
            ctx.warnings.append(child.problem(key, said))
        elif table := tables.SECTIONS.get(key):
            fields[key] = {}
            for name, one in child.map.items():
                at = f"{key}.{name}"
                ctx.lines[at] = (one.file, one.line)
                try:
                    fields[key][name] = section(table)(ctx, one, at)
                except Unusable as error:
                    ctx.wrong(one, at, error.message, error.hint)
    return fields


def _enable(fields: dict[str, Any], profiles: set[str]) -> None:
    """Leave out the services whose profiles are not enabled."""
    for root in ("services", "jobs"):
        fields[root] = {
            name: service
            for name, service in fields.get(root, {}).items()
            if not service.get("profiles") or "*" in profiles or profiles & set(service["profiles"])
        }
        for service in fields[root].values():
            depends = service.get("depends_on", {})
            for other in [one for one, said in depends.items() if said.get("required") is False]:
                if other not in fields["services"]:
                    del depends[other]


def _default_network(fields: dict[str, Any]) -> None:
    """A service that names no network is on `default`."""
    for root in ("services", "jobs"):
        for service in fields[root].values():
            if not service.get("networks") and not service.get("network_mode") and "provider" not in service:
                service["networks"] = {"default": {}}
                fields.setdefault("networks", {}).setdefault("default", {})


def _side_files(ctx: Context, fields: dict[str, Any]) -> None:
    """Read what the enabled services point to: env files, configs, secrets, label files."""
    for root in ("services", "jobs"):
        for name, service in fields[root].items():
            for i, one in enumerate(service.get("env_file", ())):
                _env_file(ctx, one, f"{root}.{name}.env_file[{i}]", service.get("environment", {}))
            for i, path in enumerate(service.get("label_file", ())):
                read = _variables(ctx, path, f"{root}.{name}.label_file[{i}]", ctx.sources.env, required=True)
                service["labels"] = {
                    **{key: value or "" for key, value in (read or {}).items()},
                    **service.get("labels", {}),
                }
            for key, value in service.get("environment", {}).items():
                if value is None:
                    ctx.variables.setdefault(key, []).append(
                        f"{_said(ctx, f'{root}.{name}.environment.{key}')}"
                    )
    used = {
        kind: {grant["source"] for service in fields["services"].values() for grant in service.get(kind, ())}
        for kind in ("configs", "secrets")
    }
    for kind in ("configs", "secrets"):
        for name, one in fields.get(kind, {}).items():
            path = f"{kind}.{name}"
            if one.get("file") is not None:
                one["files"], why = ctx.sources.files.tree(ctx.sources.path(one["file"]))
                if one["files"] is None and name in used[kind]:
                    ctx.problems.append(
                        _placed(ctx, f"{path}.file", f"{one['file']}: {why}", "the file must be there")
                    )
            elif one.get("environment") is not None:
                value = ctx.sources.env.get(one["environment"])
                if kind == "secrets":
                    one["files"] = (File(path="", content=value.encode()),) if value is not None else None
                else:
                    from tycho.model import Expr

                    one["content"] = Expr(value or "", f"${{{one['environment']}}}")
                    ctx.variables.setdefault(one["environment"], []).append(_said(ctx, f"{path}.environment"))


def _env_file(ctx: Context, one: dict[str, Any], path: str, environment: dict[str, Any]) -> None:
    known = {key: str(value) for key, value in environment.items() if value is not None}
    read = _variables(
        ctx,
        one["path"],
        path,
        {**known, **ctx.sources.env},
        required=one.get("required", True),
        raw=one.get("format") == "raw",
    )
    if one.get("format") not in (None, "raw"):
        ctx.problems.append(
            _placed(ctx, path, f'unsupported env_file format "{one["format"]}"', "format: raw")
        )
    if read is not None:
        one["entries"] = read


def _variables(
    ctx: Context, file: str, path: str, env: Any, *, required: bool, raw: bool = False
) -> dict[str, str | None] | None:
    try:
        text = ctx.sources.files.read(ctx.sources.path(file))
        if text is not None:
            return dotenv.parse(text, file, env, raw=raw)
        if required:
            ctx.problems.append(_placed(ctx, path, f"env file {file} not found", "or write required: false"))
    except dotenv.Malformed as error:
        ctx.problems.append(error.problem)
    except SourceError as error:
        ctx.problems.append(_placed(ctx, path, error.message, ""))
    return None


def _said(ctx: Context, path: str) -> str:
    found = _placed(ctx, path, "", "")
    return f"{ctx.sources.known_as(found.file)}:{found.line} {path}"


def _digest(system: System) -> str:
    """A digest of what the project says: templates instead of values, and nothing of the environment."""
    hashed = hashlib.sha256()

    def walk(value: Any) -> None:
        match value:
            case dict():
                hashed.update(b"{")
                for key in value:
                    walk(str(key))
                    walk(value[key])
                hashed.update(b"}")
            case list() | tuple():
                hashed.update(b"[")
                for one in value:
                    walk(one)
                hashed.update(b"]")
            case bytes():
                hashed.update(b"b%d:" % len(value) + value)
            case bool() | None:
                hashed.update(repr(value).encode() + b";")
            case _:
                said = template(value).encode()
                hashed.update(b"s%d:" % len(said) + said)

    kept = system.model_dump(exclude_unset=True, exclude={"secrets": {"__all__": {"files"}}})
    for service in (*kept.get("services", {}).values(), *kept.get("jobs", {}).values()):
        for one in service.get("env_file", ()):
            one.pop("entries", None)
    walk(kept)
    return hashed.hexdigest()
