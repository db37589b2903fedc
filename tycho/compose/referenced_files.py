"""What the enabled services point to: env files, label files; and the caller's variables.

Source: compose-go's `WithServicesEnvironmentResolved` and `WithServicesLabelsResolved`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tycho.compose import dotenv
from tycho.compose.carried_files import Travel
from tycho.compose.context import Context
from tycho.compose.normalize import each
from tycho.compose.text_checks import NO_TEXT, check_variables
from tycho.files import FileContent, FileRefused, Reason, is_below
from tycho.model import Expr, File
from tycho.text import is_text

Fields = dict[str, Any]
MAX_ENTRIES = 200_000  # variables of all services' files together; a file counts for each service that names it
MAX_BYTES = 16 * 1024 * 1024


def read(ctx: Context, fields: Fields, travel: Travel) -> None:
    """Read all side files; the fields take what they hold."""
    for path, service in containers(fields):
        _pass(ctx, service, f"{path}.environment")
        _env_files(ctx, service, f"{path}.env_file", travel)
        _label_files(ctx, service, f"{path}.label_file", travel)
    for kind in ("configs", "secrets"):
        for name, element in fields.get(kind, {}).items():
            if element.get("file") is None and (variable := element.get("environment")) is not None:
                value = _worth(ctx, variable, f"{kind}.{name}.environment")
                if kind == "secrets":
                    element["files"] = (File(path="", content=value.encode()),) if value is not None else None
                elif "content" not in element:
                    element["content"] = Expr(value or "", f"${{{variable}}}")
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
        ctx.problems += [ctx.problem_at(path, *details) for details in wrong]
        return None
    return ctx.env.get(variable)


def _read(ctx: Context, variable: str, path: str) -> None:
    ctx.record_variable(variable, path, *ctx.at(path), live=True)


def _env_files(ctx: Context, service: Fields, path: str, travel: Travel) -> None:
    own = {key: str(value) for key, value in service.get("environment", {}).items() if value is not None}
    known: dict[str, str] = dict(own)
    for i, env_file in enumerate(service.get("env_file", ())):
        at = f"{path}[{i}]"
        if "path" not in env_file:  # which was told already
            continue
        if env_file.get("format") not in (None, "raw"):
            message = f'unsupported env_file format "{env_file["format"]}"'
            ctx.problems.append(ctx.problem_at(at, message, "format: raw, or none"))
            continue
        needed = f"env file {env_file['path']} not found" if env_file.get("required", True) else ""
        if (content := _read_file(ctx, env_file["path"], at, needed)) is None:
            continue
        scope = _Scope(own, ctx.env)
        entries = _variables(ctx, content, env_file["path"], at, scope, known, raw=env_file.get("format") == "raw")
        if bad := [name for name, value in (entries or {}).items() if not is_text(value)]:
            ctx.problems.append(
                ctx.problem_at(at, f"{bad[0]} reads a variable, {NO_TEXT}", "set that variable to text")
            )
        elif entries is not None:
            env_file["entries"] = entries
            if not is_below(content.path, travel.roots):
                env_file["outside"] = True


def _label_files(ctx: Context, service: Fields, path: str, travel: Travel) -> None:
    """Labels are part of the chart, and so are the files that hold them."""
    known: dict[str, str] = {}
    for i, file in enumerate(service.get("label_file", ())):
        at = f"{path}[{i}]"
        if file and not travel.holds(file):
            hint = travel.relative_hint(file) or travel.root_hint(file)
            ctx.problems.append(ctx.problem_at(at, f"label file {file} is {Reason.OUTSIDE}", hint))
        elif content := _read_file(ctx, file, at, f"label file {file} not found", travel.roots):
            if why := travel.withhold(content.path):
                message = f"label file {file}: {why}, and labels are part of the chart"
                ctx.problems.append(ctx.problem_at(at, message, "keep labels in a file of their own"))
            else:
                _variables(ctx, content, file, at, {}, known)
    if known:
        service["labels"] = {**known, **service.get("labels", {})}


def _read_file(ctx: Context, file: str, path: str, needed: str, roots: tuple[str, ...] = ()) -> FileContent | None:
    """Read one file; None where there is none, or it was told of."""
    try:
        if not file:
            raise FileRefused(Reason.ABSENT)  # noqa: TRY301
        return ctx.sources.files.read(ctx.sources.path(file), roots=roots)
    except FileRefused as error:
        if error.reason is not Reason.ABSENT:
            ctx.problems.append(ctx.problem_at(path, f"{file}: {error.detail}", "name a regular file"))
        elif needed:
            hint = f"{ctx.sources.remedy}, or write required: false" if ".env_file" in path else ctx.sources.remedy
            ctx.problems.append(ctx.problem_at(path, needed, hint))
    return None


def _variables(
    ctx: Context,
    content: FileContent,
    file: str,
    path: str,
    env: Mapping[str, str],
    known: dict[str, str],
    *,
    raw: bool = False,
) -> dict[str, str] | None:
    """What one file adds to what is known; None where it is malformed."""
    before = _Added(known)
    if ctx.entries > MAX_ENTRIES or ctx.env_bytes > MAX_BYTES:  # which was told already
        return None
    try:
        ctx.env_bytes += len(content.content)
        if ctx.env_bytes <= MAX_BYTES:
            dotenv.parse(content.content, ctx.sources.shown(ctx.sources.path(file)), env, before, raw=raw)
            ctx.entries += len(before.added)
        if ctx.entries > MAX_ENTRIES or ctx.env_bytes > MAX_BYTES:
            most = f"{MAX_ENTRIES} variables, or {MAX_BYTES >> 20} MiB"
            message = f"the env files and label files of all services hold more than {most}"
            ctx.problems.append(ctx.problem_at(path, message, "give each service those that it reads"))
    except dotenv.Malformed as error:
        ctx.problems.append(error.problem)
        return None
    return before.added


class _Scope(Mapping[str, str]):
    """The caller's variables, and those of the service behind them: looked at where they are, not copied."""

    def __init__(self, own: Mapping[str, str], env: Mapping[str, str]) -> None:
        self.own, self.env = own, env

    def __getitem__(self, key: str) -> str:
        return self.env[key] if key in self.env else self.own[key]

    def __iter__(self) -> Iterator[str]:
        return iter({**self.own, **self.env})

    def __len__(self) -> int:
        return len({*self.own, *self.env})


class _Added(dict[str, str]):
    """What is known, and beside it what was added."""

    def __init__(self, known: dict[str, str]) -> None:
        super().__init__(known)
        self.known, self.added = known, dict[str, str]()

    def __setitem__(self, key: str, value: str) -> None:
        super().__setitem__(key, value)
        self.known[key] = self.added[key] = value
