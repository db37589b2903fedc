"""Collect the texts that users read: help, messages, hints, values comments, notes and pages.

A placeholder of a text (a field of an f-string, a name in backticks, a link's address) is a single word: `{}`.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import typer.main

from tycho import errors
from tycho.cli import app

ROOT = Path(__file__).resolve().parents[2]
PROBLEM = ("file", "line", "path", "message", "hint")  # the parameters of tycho.errors.Problem
WRITERS = ("info", "advise")  # functions of the command line that write a line for the reader


@dataclass(frozen=True, order=True)
class Text:
    """A text that users read.

    Args:
        place: Where it is: a file with its line, or a command with its option.
        kind: `help`, `message`, `hint`, `remark`, `values`, `notes` or `page`.
        words: The text itself.
    """

    place: str
    kind: str
    words: str


def collect_texts() -> list[Text]:
    """Collect all texts, without repetitions."""
    texts = [*collect_help(), *collect_messages(), *collect_charts(), *collect_pages()]
    return list({(text.kind, text.words): text for text in texts}.values())


def collect_help() -> Iterator[Text]:
    """Yield the help of every command, and of each option of it."""
    program = typer.main.get_command(app)
    groups = [("tycho", program), ("tycho cluster", program.get_command(None, "cluster"))]  # type: ignore[attr-defined]
    for path, group in groups:
        for name in group.list_commands(None):
            command = group.get_command(None, name)
            place = f"{path} {name}"
            for paragraph in (command.help or "").split("\n\n"):
                if not paragraph.startswith("\b"):
                    yield Text(place, "help", _join(paragraph))
            for param in command.params:
                if summary := getattr(param, "help", None):
                    yield Text(f"{place} {param.opts[0]}", "help", _join(summary))


def collect_messages() -> Iterator[Text]:
    """Yield the messages and hints of errors and problems, and what the command line writes besides."""
    names = {name for name, member in vars(errors).items() if inspect.isclass(member)}
    for path in sorted((ROOT / "tycho").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        constants = _read_constants(tree)
        raised = {id(node.exc) for node in ast.walk(tree) if isinstance(node, ast.Raise)}
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            place = f"{path.relative_to(ROOT)}:{node.lineno}"
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            arguments = dict(enumerate(node.args)) | {word.arg: word.value for word in node.keywords}
            if name == "Problem":
                arguments = {PROBLEM[key] if isinstance(key, int) else key: value for key, value in arguments.items()}
                positions: dict[int | str, str] = {"message": "message", "hint": "hint"}
            elif name in names or id(node) in raised:
                positions = {0: "message", "hint": "hint"}
            elif name in WRITERS:
                positions = {0: "remark"}
            else:
                positions = {"hint": "hint"}
            for key, kind in positions.items():
                argument = arguments.get(key)
                if isinstance(argument, ast.Name):
                    argument = constants.get(argument.id)
                for words in _read_texts(argument):
                    yield Text(place, kind, words)


def _read_constants(tree: ast.Module) -> dict[str, ast.expr]:
    """Return what the names stand for that a module gives once, such as a hint of several errors."""
    values = defaultdict[str, list[ast.expr]](list)
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            values[node.targets[0].id].append(node.value)
    return {name: expressions[0] for name, expressions in values.items() if len(expressions) == 1}


def collect_charts() -> Iterator[Text]:
    """Yield the comments of the golden charts' values, and the lines of their notes."""
    for path in sorted((ROOT / "tests/golden").rglob("values.yaml")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if comment := re.match(r"\s*# (?:-- )?(.*)", line):
                yield Text(f"{path.relative_to(ROOT)}:{number}", "values", _mark(comment[1]))
    for path in sorted((ROOT / "tests/golden").rglob("NOTES.txt")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if words := re.sub(r"\{\{.*?\}\}", "{}", line).strip():
                yield Text(f"{path.relative_to(ROOT)}:{number}", "notes", _mark(words))


def collect_pages() -> Iterator[Text]:
    """Yield the paragraphs, list items and table cells of the README and of the pages in docs/."""
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        source = path.read_text(encoding="utf-8")
        text = re.sub(r"^```.*?^```$|<!--.*?-->", _blank, source, flags=re.DOTALL | re.MULTILINE)
        start, lines = 0, list[str]()
        for number, line in enumerate([*text.splitlines(), ""], 1):
            if not line.strip() or re.match(r"\s*([-*|#]|\d+\.) ?", line):
                for words in _split_paragraph(" ".join(lines)):
                    yield Text(f"{path.relative_to(ROOT)}:{start}", "page", words)
                start, lines = number, []
            lines.append(line.strip())


def _split_paragraph(text: str) -> Iterator[str]:
    """Yield a paragraph without its mark-up, or the cells of a table's row."""
    if text.startswith("|"):
        for cell in text.strip("|").split(" | "):
            if re.search(r"\w", cell):
                yield _mark(cell.strip("| "))
    elif re.search(r"\w", text):
        yield _mark(re.sub(r"^([-*#]+|\d+\.) ", "", text))


def _read_texts(node: ast.expr | None) -> Iterator[str]:
    """Yield what an expression may be, where it is text; a choice yields both texts."""
    if isinstance(node, ast.IfExp):
        yield from _read_texts(node.body)
        yield from _read_texts(node.orelse)
    elif isinstance(node, ast.BoolOp):
        for part in node.values:
            yield from _read_texts(part)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
        yield _mark(node.value)
    elif isinstance(node, ast.JoinedStr):
        parts = [part.value if isinstance(part, ast.Constant) else "{}" for part in node.values]
        yield _mark("".join(map(str, parts)))


def _mark(text: str) -> str:
    """Put a placeholder for code, addresses and links, which have no grammar."""
    text = re.sub(r"`[^`]*`", "{}", text)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return re.sub(r"<?https?://\S+>?", "{}", text).replace("**", "")


def _join(text: str) -> str:
    return _mark(" ".join(text.split()))


def _blank(match: re.Match[str]) -> str:
    """Keep the number of lines."""
    return "\n" * match[0].count("\n")
