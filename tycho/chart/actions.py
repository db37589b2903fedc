"""What templates are told besides the objects: names, places in values, and helpers, as pieces of Helm's templates.

A helper is written into the chart if a template asked for it here: nobody reads what was written to find that out.
"""

from __future__ import annotations

from collections.abc import Mapping

from tycho.chart.container import Expression, Text, go_identifier
from tycho.chart.filters import Safe, go_string, yaml_scalar
from tycho.chart.workload import Workload
from tycho.chart.yaml_writer import write_scalar
from tycho.kinds import LONGEST_NAME

LONGEST_SUFFIX = 33  # beyond, names are cut one by one: what starts them keeps room for a release's name


class Helpers:
    """The helpers of one chart: asking for one by name has it written.

    Args:
        chart: The chart's name, which theirs begin with.
    """

    def __init__(self, chart: str) -> None:
        self._chart = chart
        self._asked: dict[str, Safe] = {}

    def __getattr__(self, name: str) -> Safe:
        """Write the name of a helper, and remember that it is called."""
        if name.startswith("_"):
            raise AttributeError(name)
        helper = self._asked[name] = go_string(f"{self._chart}.{name}")
        setattr(self, name, helper)  # Python asks here for what it does not find there
        return helper

    def define(self, name: str, slug: str) -> Safe:
        """Write the name of a template that one workload's file defines."""
        return go_string(f"{self._chart}.{name}.{slug}")

    def list_asked(self) -> list[str]:
        """List the helpers that were asked for."""
        return list(self._asked)


class ObjectNames:
    """Writes names of objects: `<fullname>-<suffix>`.

    Attributes:
        longest: How long a fullname may be, so that the longest suffix fits.
    """

    def __init__(self, helpers: Helpers) -> None:
        self._helpers = helpers
        self.longest = 53  # characters of a release's name

    def __call__(self, suffix: str, limit: int = LONGEST_NAME, root: str = ".") -> Safe:
        """Write a name where a template has a value."""
        if self.is_short(suffix, limit):
            name = f"{{{{ include {self._helpers.fullname} {root} }}}}-{suffix}"
            return Safe(f'"{name}"' if suffix[0].isdigit() else name)  # else it might be read as a number or a date
        return Safe(f"{{{{ {self._long(suffix, limit, root)} | quote }}}}")

    def expression(self, suffix: str, limit: int = LONGEST_NAME, root: str = ".") -> Safe:
        """Write a name inside an action, in parentheses."""
        if self.is_short(suffix, limit):
            return Safe(f"(printf {go_string(f'%s-{suffix}')} (include {self._helpers.fullname} {root}))")
        return Safe(f"({self._long(suffix, limit, root)})")

    def variable(self, part: str, suffix: str, *, short: bool) -> Safe:
        """Write the name of an object whose part is a variable of the template, where it has a value.

        Args:
            part: The variable, as an argument of an action.
            suffix: What stands after it.
            short: Whether no name has to be cut.
        """
        if short:
            return Safe(f"{{{{ include {self._helpers.fullname} $ }}}}-{{{{ {part.strip('()')} }}}}{suffix}")
        whole = f"(print {part} {go_string(suffix)})"
        arguments = go_dict(suffix=whole, limit=str(LONGEST_NAME), context="$")
        return Safe(f"{{{{ include {self._helpers.name} {arguments} }}}}")

    def service(self, slug: str, root: str = ".") -> Safe:
        """Write the name that peers call a service by, where a template has a value."""
        action = f"{{{{ {self._service(slug, root)} }}}}"
        plain = slug[0].isalpha() and write_scalar(slug) == slug and self.is_short(slug)
        return Safe(action if plain else f'"{action}"')

    def service_of(self, part: str, *, short: bool) -> Safe:
        """Write the name that peers call a service by, whose part is a variable of the template.

        Args:
            part: The variable, as an argument of an action.
            short: Whether no name has to be cut.
        """
        if short:
            return Safe(f"{{{{ include {self._helpers.serviceName} {go_dict(service=part, context='$')} | quote }}}}")
        long = f"(include {self._helpers.name} {go_dict(suffix=part, limit=str(LONGEST_NAME), context='$')})"
        return Safe(f'{{{{ eq $.Values.dns.scope "release" | ternary {long} {part} | quote }}}}')

    def address(self, slug: str, port: int, root: str = ".") -> Safe:
        """Write name and port of a service, where a template has a value."""
        return Safe(f'"{{{{ {self._service(slug, root)} }}}}:{port}"')

    def _service(self, slug: str, root: str) -> str:
        if self.is_short(slug):
            return f"include {self._helpers.serviceName} {go_dict(service=go_string(slug), context=root)}"
        long = f"({self._long(slug, LONGEST_NAME, root)})"
        return f'eq {root.rstrip(".")}.Values.dns.scope "release" | ternary {long} {go_string(slug)}'

    def is_short(self, suffix: str, limit: int = LONGEST_NAME) -> bool:
        """Tell whether a suffix needs no cutting; room is kept for it after the release's name."""
        if len(suffix) > LONGEST_SUFFIX - (LONGEST_NAME - limit):
            return False
        self.longest = min(self.longest, limit - 1 - len(suffix))
        return True

    def _long(self, suffix: str, limit: int, root: str) -> str:
        arguments = go_dict(suffix=go_string(suffix), limit=str(limit), context=root)
        return f"include {self._helpers.name} {arguments}"


def go_dict(**entries: str) -> str:
    """Write a `dict` of Go templates, in parentheses: the arguments of a helper."""
    return f"(dict {' '.join(f'{go_string(name)} {value}' for name, value in entries.items())})"


def reference(section: str, name: str, root: str = ".") -> Safe:
    """Write a place in values: `.Values.services.web`, or `(index .Values.services "my-web")`."""
    below = f"{root.rstrip('.')}.Values.{section}"
    if go_identifier(name) == name and name.isascii():
        return Safe(f"{below}.{name}")
    return Safe(f"(index {below} {go_string(name)})")


def name_variables(workload: Workload) -> Mapping[str, Safe]:
    """Name a variable for the values of each container of a workload; templates call the workload `$service`."""
    if len(workload.containers) == 1:
        return {workload.containers[0].service: Safe("$values")}
    variables: dict[str, Safe] = {}
    for container in workload.containers:
        name = base = go_identifier(container.service)
        number = 1
        while f"${name}" in ("$service", *variables.values()):
            number += 1
            name = f"{base}_{number}"
        variables[container.service] = Safe(f"${name}")
    return variables


class Texts:
    """Writes texts where they stand: as they are, or as what Helm makes of their variables."""

    def __init__(self, helpers: Helpers) -> None:
        self._helpers = helpers

    def interpolated(self, value: Text) -> Safe:
        """Write a text inside an action, in parentheses where that is due."""
        if not isinstance(value, Expression):
            return go_string(value)
        return Safe(f"(include {self._helpers.interpolate} {go_dict(text=go_string(value), context='$')})")

    def value(self, value: Text) -> Safe:
        """Write a text where a template has a value."""
        if not isinstance(value, Expression):
            return yaml_scalar(value)
        return Safe(f"{{{{ {self.interpolated(value)[1:-1]} | quote }}}}")

    def argument(self, value: Text) -> Safe:
        """Write a text that Kubernetes expands `$(NAME)` in."""
        if not isinstance(value, Expression):
            return yaml_scalar(value)
        return Safe(f'{{{{ {self.interpolated(value)[1:-1]} | replace "$" "$$" | quote }}}}')

    def live_entries(self, workload: Workload, field: str) -> Safe:
        """Write annotations that read variables as a further argument of `merge`; nothing where there are none."""
        entries: dict[str, Expression] = {}
        for container in workload.containers:
            for name, value in getattr(container, field).items():
                if isinstance(value, Expression):
                    entries.setdefault(name, value)
        pairs = " ".join(f"{go_string(name)} {self.interpolated(value)}" for name, value in entries.items())
        return Safe(f" (dict {pairs})" if pairs else "")
