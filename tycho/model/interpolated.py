"""Values that were written with variables: what they are worth, and what the file said.

`Expr`, `ExprInt` and `ExprFloat` are the value, and carry the template along; `template()` asks for it.
"""

from __future__ import annotations

from typing import Annotated, Any, Self

from tycho.model.checks import Check, Constraint


class Live:
    """A value that remembers the text it was interpolated from."""

    template: str


class Expr(str, Live):  # noqa: SLOT000 - the template needs a place
    """Text that was interpolated."""

    def __new__(cls, value: str, template: str = "") -> Self:
        """The value; `template` as the file has it."""
        self = super().__new__(cls, value)
        self.template = template
        return self


class Reworded(Expr):
    """The first word of a command line that is split once its variables are known: they bring blanks or quotes.

    Attributes:
        words: What all of it becomes.
        line: The whole of it, in Compose's syntax.
    """

    words: tuple[str, ...]
    line: str


class Fixed(Expr):
    """Text whose variables were decided where it was written: by the environment of an included file.

    Args:
        value: What it is worth.
        secret: Whether that is secret, by a variable's name or by what it shows.
    """

    secret: bool

    def __new__(cls, value: str, template: str = "", *, secret: bool = True) -> Self:
        """The value; its template says the same."""
        self = super().__new__(cls, value, template or value.replace("$", "$$"))
        self.secret = secret
        return self


class ExprInt(int, Live):
    """A whole number that was interpolated."""

    def __new__(cls, value: int, template: str = "") -> Self:
        """The value; `template` as the file has it."""
        self = super().__new__(cls, value)
        self.template = template
        return self


class ExprFloat(float, Live):
    """A number that was interpolated."""

    def __new__(cls, value: float, template: str = "") -> Self:
        """The value; `template` as the file has it."""
        self = super().__new__(cls, value)
        self.template = template
        return self


def template(value: str | float) -> str:
    """A value in Compose's syntax: its template, or, where it has none, its text with every `$` doubled."""
    if isinstance(value, Live):
        return value.template
    return str(value).replace("$", "$$")


def bare(value: Any) -> Any:
    """Take the template off a value."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, Live):
        return int(value) if isinstance(value, int) else float(value)  # type: ignore[arg-type]
    return value


class Templated(Constraint):
    """A value that may be a live one: its type's check would make a plain value of it, and the template be lost."""

    def extend(self, check: Check) -> Check:
        """Take a live value as it is."""
        return lambda value: value if isinstance(value, Live) else check(value)


TEMPLATED = Templated()
Text = Annotated[str, TEMPLATED]
Int = Annotated[int, TEMPLATED]
Float = Annotated[float, TEMPLATED]
Bytes = Int
Seconds = float
Words = tuple[Text, ...]
Json = Any  # a canonical piece of the file that Tycho passes on or reports, but never reads into
