"""What the enabled services point to: env files, label files; and the caller's variables.

Source: compose-go's `WithServicesEnvironmentResolved` and `WithServicesLabelsResolved`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tycho.compose import dotenv
from tycho.compose.bound import BoundProject, Fields, Findings, change_hooks, change_services
from tycho.compose.carried_files import Travel
from tycho.compose.text_checks import NO_TEXT, check_variables
from tycho.files import FileContent, FileRefused, Reason, is_below
from tycho.model import Expr, ProjectFile
from tycho.text import is_text

MAX_ENTRIES = 200_000  # variables of all services' files together; a file counts for each service that names it
MAX_BYTES = 16 * 1024 * 1024


class _FileFindings(Findings):
    """What reading finds out, and how much all files together hold."""

    def __init__(self, project: BoundProject, travel: Travel) -> None:
        super().__init__(project)
        self.travel = travel
        self.entries = 0
        self.size = 0  # bytes

    def is_full(self) -> bool:
        """Tell whether the files hold more than a project may."""
        return self.entries > MAX_ENTRIES or self.size > MAX_BYTES


def read_referenced_files(project: BoundProject, travel: Travel) -> BoundProject:
    """Read env files, label files and the variables that services, configs and secrets take whole."""
    findings = _FileFindings(project, travel)
    fields = change_services(project.fields, lambda path, service: _read_of_service(findings, path, service))
    for kind in ("configs", "secrets"):
        if kind in fields:
            elements = fields[kind].items()
            fields[kind] = {
                name: _read_element(findings, f"{kind}.{name}.environment", element, secret=kind == "secrets")
                for name, element in elements
            }
    return findings.apply(fields)


def _read_element(findings: _FileFindings, path: str, element: Fields, *, secret: bool) -> Fields:
    """Give a config or a secret what its variable holds."""
    variable = element.get("environment")
    if element.get("file") is not None or variable is None:
        return element
    value = _find_value(findings, variable, path)
    if secret:
        return {**element, "files": (ProjectFile(path="", content=value.encode()),) if value is not None else None}
    if "content" in element:
        return element
    findings.record_variable(variable, path)
    return {**element, "content": Expr(value or "", f"${{{variable}}}")}


def _read_of_service(findings: _FileFindings, path: str, service: Fields) -> Fields:
    read = _read_of_container(findings, path, service)
    return change_hooks(read, lambda i, hook: _read_of_container(findings, f"{path}.pre_start[{i}]", hook))


def _read_of_container(findings: _FileFindings, path: str, container: Fields) -> Fields:
    read = _pass_variables(findings, container, f"{path}.environment")
    if "env_file" in read:
        read = {**read, "env_file": _read_env_files(findings, read, f"{path}.env_file")}
    if labels := _read_label_files(findings, read, f"{path}.label_file"):
        read = {**read, "labels": {**labels, **read.get("labels", {})}}
    return read


def _pass_variables(findings: _FileFindings, container: Fields, path: str) -> Fields:
    """Give entries without a value that of the caller's variable; without one they stay unset."""
    environment = container.get("environment", {})
    passed = tuple(key for key, value in environment.items() if value is None)
    if not passed:
        return container
    values = {key: _find_value(findings, key, f"{path}.{key}") for key in passed}
    for key in passed:
        findings.record_variable(key, f"{path}.{key}")
    return {**container, "environment": {**environment, **values}, "environment_pass": passed}


def _find_value(findings: _FileFindings, variable: str, path: str) -> str | None:
    """Return what a variable is worth to a place that takes it whole; None where it holds no text."""
    if wrong := list(check_variables([variable], findings.env)):
        for details in wrong:
            findings.add_problem(path, *details)
        return None
    return findings.env.get(variable)


def _read_env_files(findings: _FileFindings, container: Fields, path: str) -> list[Fields]:
    """Return the env files of a container, with the entries of those that could be read."""
    own = {key: str(value) for key, value in container.get("environment", {}).items() if value is not None}
    known: dict[str, str] = dict(own)
    return [
        {**env_file, **_read_env_file(findings, env_file, f"{path}[{i}]", own, known)}
        for i, env_file in enumerate(container["env_file"])
    ]


def _read_env_file(
    findings: _FileFindings, env_file: Fields, path: str, own: Mapping[str, str], known: dict[str, str]
) -> Fields:
    """Read one env file; what it says is known to those after it."""
    if "path" not in env_file:  # a problem that is noted already
        return {}
    name, form = env_file["path"], env_file.get("format")
    if form not in (None, "raw"):
        findings.add_problem(path, f'unsupported env_file format "{form}"', "write format: raw, or none")
        return {}
    needed = f"env file {name} not found" if env_file.get("required", True) else ""
    if (content := _read_file(findings, name, path, needed)) is None:
        return {}
    entries = _read_entries(findings, content, name, path, _Scope(own, findings.env), known, raw=form == "raw")
    if entries is None:
        return {}
    if bad := [name for name, value in entries.items() if not is_text(value)]:
        findings.add_problem(path, f"{bad[0]} reads a variable, {NO_TEXT}", "set that variable to text")
        return {}
    outside = {} if is_below(content.path, findings.travel.roots) else {"outside": True}
    return {"entries": entries, **outside}


def _read_label_files(findings: _FileFindings, container: Fields, path: str) -> dict[str, str]:
    """Read a container's label files: labels are part of the chart, and so are the files that hold them."""
    known: dict[str, str] = {}
    travel = findings.travel
    for i, file in enumerate(container.get("label_file", ())):
        at = f"{path}[{i}]"
        if file and not travel.holds(file):
            hint = travel.relative_hint(file) or travel.root_hint(file)
            findings.add_problem(at, f"label file {file} is {Reason.OUTSIDE}", hint)
        elif content := _read_file(findings, file, at, f"label file {file} not found", travel.roots):
            if why := travel.withhold(content.path):
                message = f"label file {file}: {why}, and labels are part of the chart"
                findings.add_problem(at, message, "keep labels in a file of their own")
            else:
                _read_entries(findings, content, file, at, {}, known)
    return known


def _read_file(
    findings: _FileFindings, file: str, path: str, needed: str, roots: tuple[str, ...] = ()
) -> FileContent | None:
    """Read one file; None where there is none: a problem where `needed` says so."""
    try:
        if not file:
            raise FileRefused(Reason.ABSENT)  # noqa: TRY301
        return findings.sources.files.read(findings.sources.path(file), roots=roots)
    except FileRefused as error:
        if error.reason is not Reason.ABSENT:
            findings.add_problem(path, f"{file}: {error.detail}", "name a regular file")
        elif needed:
            remedy = findings.sources.remedy
            findings.add_problem(path, needed, f"{remedy}, or write required: false" if ".env_file" in path else remedy)
    return None


def _read_entries(
    findings: _FileFindings,
    content: FileContent,
    file: str,
    path: str,
    env: Mapping[str, str],
    known: dict[str, str],
    *,
    raw: bool = False,
) -> dict[str, str] | None:
    """Return what one file adds to what is known; None where it is malformed, or nothing more may be read."""
    before = _Added(known)
    if findings.is_full():  # a problem that is noted already
        return None
    try:
        findings.size += len(content.content)
        if not findings.is_full():
            dotenv.parse(content.content, findings.sources.shown(findings.sources.path(file)), env, before, raw=raw)
            findings.entries += len(before.added)
        if findings.is_full():
            most = f"{MAX_ENTRIES} variables, or {MAX_BYTES >> 20} MiB"
            message = f"the env files and label files of all services hold more than {most}"
            findings.add_problem(path, message, "give each service those that it reads")
    except dotenv.MalformedEnvFile as error:
        findings.add_problems(error.problem)
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
