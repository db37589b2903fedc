"""Keep secrets out of the chart: environment entries go into a Secret of the release, other text into variables.

`hide_credentials` is pure, and both the chart and the values of its release are made of what it returns: a text such
as `postgres://app:hunter2@db` becomes `postgres://app:${WEB_COMMAND_1:?}@db`, and `hunter2` is what the release says
that variable is worth.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, TypeVar

from msgspec import Struct, field

from tycho.chart.workload_kind import tycho_extension
from tycho.credentials import find_literals, names_secret, switches
from tycho.model import Expr, Fixed, Hook, Node, Project, Reworded, Service, Variable, template

Why = Literal["name", "content"]

INTERPOLATED: Mapping[str, tuple[str, ...]] = {
    "services": (
        "image", "working_dir", "entrypoint[]", "command[]", "healthcheck.test[]", "labels.*", "annotations.*",
        "deploy.labels.*", "sysctls.*", "dns[]", "dns_search[]", "dns_opt[]", "domainname", "ports[].app_protocol",
        "post_start[].command[]", "pre_stop[].command[]", "pre_start[].command[]", "pre_start[].image",
        "pre_start[].working_dir", "pre_start[].environment.*",
    ),
    "volumes": ("name", "labels.*", "driver_opts.*"),
    "configs": ("name", "content"),
    "secrets": ("name",),
}  # fmt: skip
"""Texts in which the chart reads variables: `.` a field, `[]` each element, `.*` each entry. The same for jobs."""
STEPS = {section: [re.findall(r"\w+|\[\]|\*", place) for place in places] for section, places in INTERPOLATED.items()}

FLAG = re.compile(
    r"--?[\w-]*(?:password|passwd|passphrase|requirepass|masterauth|secret|token|api[_-]?key|secret[_-]?key)",
    re.IGNORECASE,
)
AFTER_FLAG = re.compile(rf"(?<![\w-]){FLAG.pattern}[ \t]+(?P<secret>[^\s\"'`$;&|<>(){{}}]+)", re.IGNORECASE)
ENTRY = re.compile(r"\.pre_start\[(\d+)\]\.environment\.(.+)", re.DOTALL)
LABEL = re.compile(r"\.(?:deploy\.)?(labels|annotations)\.(.+)", re.DOTALL)
BEFORE = frozenset({"command", "entrypoint", "test"})  # words: one that follows a flag for a secret is one


class Concealed(Struct, frozen=True):
    """A secret that was hidden.

    Args:
        path: Its place in the compose file.
        variable: The variable of the release that replaces it, "" for an environment entry.
        why: How it is known: by its name, or by its content.
    """

    path: str
    variable: str
    why: Why


class Hiding(Struct):
    """Puts variables of the release in the place of secrets.

    Args:
        system: Whose variables have their names already.
    """

    system: Project
    variables: dict[str, Variable] = field(default_factory=dict)
    concealed: list[Concealed] = field(default_factory=list)

    def variable(self, path: str, secret: str, why: Why) -> str:
        """Add a variable of the release for a secret, and return its name, which is made of the path alone."""
        base = re.sub(r"\W+", "_", re.sub(r"^(?:services|jobs)\.", "", path), flags=re.ASCII).strip("_").upper()
        base = f"V_{base}" if not base or base[0].isdigit() else base
        name, number = base, 2
        while name in self.variables or name in self.system.variables or name in self.system.baked:
            name, number = f"{base}_{number}", number + 1
        file, line = self.system.at(path)
        place = f"{file}:{line} {path}"
        self.variables[name] = Variable(name=name, places=(place,), value=secret.replace("$$", "$"))
        self.concealed.append(Concealed(path, name, why))
        return name

    def text(self, value: str, path: str, *, whole: bool = False) -> str:
        """Replace each secret in a text by a variable."""
        if isinstance(value, Reworded):  # one that holds a secret is refused, see translate.command
            return value
        written = template(value)
        whole = whole and not switches(written)
        spans = _find_spans(written, path, whole=whole)
        if isinstance(value, Fixed) and value.secret:
            spans = [(0, len(written))] if written else []
        return self.replace(written, spans, path, "name" if whole else "content") if spans else value

    def replace(self, written: str, spans: Iterable[tuple[int, int]], path: str, why: Why) -> str:
        """Put variables in the place of some stretches of a text."""
        pieces, position = [], 0
        for start, end in spans:
            name = self.variable(path, written[start:end], why)
            pieces += [written[position:start], f"${{{name}:?}}"]
            position = end
        shown = "".join((*pieces, written[position:]))
        return Expr(shown, shown)  # its value is unknown at compile time


def holds_secret(line: str, path: str) -> bool:
    """Tell whether a text, in Compose's syntax, holds a secret by what it says.

    Args:
        line: The text.
        path: Where it stands; a command's flags tell what follows them.
    """
    return bool(_find_spans(line, path, whole=False))


def _find_spans(written: str, path: str, *, whole: bool) -> list[tuple[int, int]]:
    spans = find_literals(written, whole=whole)
    if not whole and path.rpartition(".")[2].partition("[")[0] in BEFORE:
        flags = [match.span("secret") for match in AFTER_FLAG.finditer(written) if _may_be_secret(match["secret"])]
        spans = list(_without_overlaps(sorted([*spans, *flags])))
    return spans


def hide_credentials(system: Project) -> tuple[Project, tuple[Concealed, ...]]:
    """Take what is secret out of what a chart is made of.

    Args:
        system: The system after the policies.

    Returns:
        The system, whose services know their secret entries and whose variables hold the rest; and what was hidden.
    """
    hiding = Hiding(system)
    changed: dict[str, Any] = {}
    for section in ("services", "jobs"):
        parts = getattr(system, section)
        changed[section] = {
            name: _hide_in_service(hiding, f"{section}.{name}", service) for name, service in parts.items()
        }
    for section in ("volumes", "configs", "secrets"):
        parts = getattr(system, section)
        changed[section] = {
            name: _change_places(part, STEPS[section], f"{section}.{name}", hiding.text) for name, part in parts.items()
        }
    changed = {key: parts for key, parts in changed.items() if _is_changed(parts, getattr(system, key))}
    if hiding.variables:
        changed["variables"] = {**system.variables, **hiding.variables}
    return system.model_copy(update=changed) if changed else system, tuple(hiding.concealed)


def without_entries(system: Project) -> Project:
    """Replace secret entries by their places in values: a policy's template never gets a secret.

    Args:
        system: What `hide_credentials` made.
    """

    def without(name: str, service: Service) -> Service:
        gone = {key: Expr("", f"services.{name}.secretEnv.{key}") for key in service.environment_secret}
        return service.model_copy(update={"environment": {**service.environment, **gone}}) if gone else service

    changed = {
        section: {name: without(name, service) for name, service in getattr(system, section).items()}
        for section in ("services", "jobs")
    }
    return system.model_copy(update=changed)


def secret_globs(system: Project, service: object = None) -> tuple[str, ...]:
    """Return the globs of secret names: the policies', followed by those of a service."""
    above, own = (tuple(map(str, tycho_extension(part).get("secretEnvironment") or ())) for part in (system, service))
    return (*above, *own)


def _hide_in_service(hiding: Hiding, path: str, service: Service) -> Service:
    globs = secret_globs(hiding.system, service)
    secret = tuple(_list_secret_entries(hiding, path, service, globs))
    by_name = _secret_by_name(globs)

    def change(value: str, place: str) -> str:
        below = place.removeprefix(path)
        if (match := ENTRY.fullmatch(below)) and _comes_from_release(service, int(match[1]), match[2], value, secret):
            return value
        return hiding.text(value, place, whole=by_name(below))

    service = _change_places(service, STEPS["services"], path, change)
    for key in ("entrypoint", "command"):
        service = _with_field(service, key, _hide_in_words(hiding, getattr(service, key), f"{path}.{key}"))
    if service.healthcheck and service.healthcheck.test:
        words = _hide_in_words(hiding, service.healthcheck.test, f"{path}.healthcheck.test")
        service = _with_field(service, "healthcheck", _with_field(service.healthcheck, "test", words))
    for key in ("pre_start", "post_start", "pre_stop"):
        hooks: Sequence[Hook] = getattr(service, key)
        result = tuple(
            _with_field(hook, "command", _hide_in_words(hiding, hook.command, f"{path}.{key}[{index}].command"))
            for index, hook in enumerate(hooks)
        )
        service = _with_field(service, key, result)
    return _with_field(service, "environment_secret", secret)


def _list_secret_entries(hiding: Hiding, path: str, service: Service, globs: Sequence[str]) -> list[str]:
    """List the environment entries that only the release's Secret may hold."""
    names = []
    for name, value in service.environment.items():
        if name in service.environment_pass:
            continue
        why: Why | None = None
        if names_secret(name, globs) and not (value is not None and value and switches(template(value))):
            why = "name"
        elif value is not None and ((isinstance(value, Fixed) and value.secret) or find_literals(template(value))):
            why = "content"
        if why:
            names.append(name)
            hiding.concealed.append(Concealed(f"{path}.environment.{name}", "", why))
    return names


def _comes_from_release(service: Service, hook: int, name: str, value: str, secret: Collection[str]) -> bool:
    """Tell whether a hook's container gets an entry from the release, as its service does."""
    inherited = name in secret and service.environment[name] == value
    return inherited or name in service.pre_start[hook].inherited.get("environment_pass", ())


def _secret_by_name(globs: Sequence[str]) -> Callable[[str], bool]:
    """Make the test whether an entry at a path below a service is secret by its name."""

    def secret(place: str) -> bool:
        if match := LABEL.fullmatch(place):
            return names_secret(match[2].rpartition(".")[2].rpartition("/")[2], globs)
        match = ENTRY.fullmatch(place)
        return bool(match and names_secret(match[2], globs))

    return secret


def _hide_in_words(hiding: Hiding, words: Sequence[str] | None, path: str) -> Sequence[str] | None:
    """Hide words that follow a flag for a secret, as in `["--password", "hunter2"]`."""
    result = list(words or ())
    for index in range(1, len(result)):
        flag, word = template(result[index - 1]), template(result[index])
        if FLAG.fullmatch(flag) and _may_be_secret(word) and not isinstance(result[index], Reworded):
            result[index] = hiding.text(result[index], f"{path}[{index}]", whole=True)
    return words if words is None or not _is_changed(result, words) else tuple(result)


def _without_overlaps(spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield spans in order, and of overlapping ones the first."""
    position = 0
    for start, end in spans:
        if start >= position:
            yield start, end
            position = end


def _may_be_secret(word: str) -> bool:
    """Tell whether a word after a flag may be a secret: no path, flag, number of seconds or variable."""
    return bool(word) and not word.startswith(("/", "./", "-", "$$")) and not re.fullmatch(r"[0-9]{1,3}[smh]?", word)


Change = Callable[[str, str], str]
Part = TypeVar("Part", bound=Node)


def _change_places(part: Part, places: Sequence[Sequence[str]], path: str, change: Change) -> Part:
    written = part.model_fields_set
    for steps in places:
        if steps[0] in written:
            part = _change_at(part, steps, path, change)
    return part


def _change_at(value: Any, steps: Sequence[str], path: str, change: Change) -> Any:
    """Change the texts at a place below a value; return the value itself where nothing changes."""
    if not steps:
        return change(value, path) if isinstance(value, str) else value
    step, *further = steps
    if step == "[]":
        items = tuple(
            _change_at(element, further, f"{path}[{index}]", change) for index, element in enumerate(value or ())
        )
        return items if _is_changed(items, value or ()) else value
    if step == "*":
        entries = {key: _change_at(element, further, f"{path}.{key}", change) for key, element in (value or {}).items()}
        return entries if _is_changed(entries, value or {}) else value
    if value is None:
        return None
    return _with_field(value, step, _change_at(getattr(value, step), further, f"{path}.{step}", change))


def _with_field(part: Part, key: str, value: Any) -> Part:
    before = getattr(part, key)
    return part if value is before or (not value and not before) else part.model_copy(update={key: value})


def _is_changed(after: Any, before: Any) -> bool:
    if isinstance(after, Mapping):
        return any(element is not before[key] for key, element in after.items())
    return any(element is not other for element, other in zip(after, before, strict=True))
