"""No template prints a text bare: what an expression prints, and what an action of Helm's prints, is quoted."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from tests.chart.payloads import PAYLOADS
from tycho import data_folders
from tycho.chart import filters
from tycho.chart.filters import markdown_cell, markdown_code, require_filtered, require_safe, yaml_scalar
from tycho.chart.yaml_writer import dump, write_scalar
from tycho.model import Expr
from tycho.text import printable

FOLDERS = ("templates", "parts", "helpers")
TEMPLATES = sorted(path for folder in FOLDERS for path in (Path(data_folders.templates()) / folder).rglob("*.j2"))
# An action that is, or ends, the value of a key or an item of a list.
PRINTED = re.compile(
    r"^\s*(?:- )?(?:(?P<key>[\w./\"<%=| ()~-]+): |- )(?P<before>.*?)\{\{-? (?P<action>.*?) -?\}\}(?P<after>.*)$"
)
# What ends a pipe that prints a quoted text, or text that YAML's own writer or JSON's made.
ENDS = re.compile(r"(\| (quote|int|toYaml|toJson|sha256sum \| trunc 8)|^(toYaml|toJson) .*)$")
BARE = {
    "$number",  # digits, as a pattern has found
    "$port",  # a number that the compiler wrote
    "$key",  # one of the template's own words
    ".name",  # of a helper's container: a name that the compiler made
}
DIGITS = {"replicas", "parallelism", "completions", "nodePort"}  # keys whose `.` is digits, as a helper has found
JSON = {"securityContext", "resources", "affinity"}  # keys whose `.` is JSON, as a helper has made
# What the schema of the values holds to a number, a truth value, or one of a few words.
CLOSED = re.compile(
    r"(\.(replicas|pullPolicy|automountServiceAccountToken|timeoutSeconds|targetPort|protocol|type))$"
    r"|\.pathType \| default \"Prefix\"$"
    r"|^get \(dict.*\) \$name$|^include <%= h\.(selectorLabels|podLabels|labels|wait|kubectl|fullname|words) %>"
    r"|^\.service -?$|^regexFind `\^\[0-9\]\+`|^\$service\.type$"
)


@pytest.mark.parametrize("path", [path for path in TEMPLATES if "NOTES" not in path.name], ids=lambda path: path.stem)
def test_actions_print_quoted_text(path: Path) -> None:
    bare = []
    for line in path.read_text().splitlines():
        for match in PRINTED.finditer(line):
            action = match["action"]
            if action.startswith(("/*", "define", "if", "else", "end", "range", "with", "$_", "fail", "$")) and (
                ":=" in action or not action.startswith("$")
            ):
                continue
            made = action == "." and match["key"] in DIGITS | JSON
            if not (ENDS.search(action) or CLOSED.search(action) or action in BARE or made):
                bare.append(line.strip())
    assert bare == []


def test_some_actions_are_seen() -> None:
    lines = [line for path in TEMPLATES for line in path.read_text().splitlines() if PRINTED.match(line)]
    assert len(lines) > 80


@pytest.mark.parametrize("value", ["on", "web", "a b", "{{ x }}", "", Expr("x", "${X}"), None, 1.5, ["x"]])
def test_the_guard_wants_a_filter(value: Any) -> None:
    with pytest.raises(ValueError, match=r"text without a filter|differs between releases"):
        require_filtered(value)


@pytest.mark.parametrize(
    "value", [yaml_scalar("on"), filters.go_string("a"), filters.name_part("a-b"), 7, filters.file_mode(0o644)]
)
def test_the_guard_lets_pass(value: Any) -> None:
    assert require_filtered(value) == value
    assert require_filtered(value is None) == "false"


@pytest.mark.parametrize("value", ["a: b", "a\nb: c", "#", "- a", "*a", "{{ x }}", "a:", "'", '"a"', "\x7f", "[a]"])
def test_policies_print_plain_words_alone(value: str) -> None:
    with pytest.raises(ValueError, match=r"text that Helm evaluates|YAML may read otherwise"):
        require_safe(value)
    assert require_safe(yaml_scalar(value)) == yaml_scalar(value)


@pytest.mark.parametrize("value", ["web", "docker.io/library/nginx:1.27", "a@sha256:0af", "100Mi", "", "a+b"])
def test_policies_print_names(value: str) -> None:
    assert require_safe(value) == value


def test_a_part_ends_no_string() -> None:
    for value in ('a"', "a\\", "a{{", "a\n", "a`", "é"):
        with pytest.raises(ValueError, match="not a part"):
            filters.name_part(value)


def test_comments_hold_no_line() -> None:
    from tycho.chart.yaml_writer import Commented

    written = dump({"a": Commented("b", "x\x1by\x85z\u2028k: v")})
    assert written == "# x\\x1by\\x85z\\u2028k: v\na: b\n"


@pytest.mark.parametrize(
    ("value", "span"),
    [
        ("a", "`a`"), ("a`b", "``a`b``"), ("`", "`` ` ``"), ("a``b`c", "```a``b`c```"), ("a|b", "`a\\|b`"),
        ("a\nb", "`a b`"), (" a", "`  a `"), ("\x1b[31m", "`\\x1b[31m`"), ("<b>", "`<b>`"), ("", ""),
        ("a\\|b", "a\\\\\\|b"),
    ],
)  # fmt: skip
def test_code_spans_hold_any_text(value: str, span: str) -> None:
    assert markdown_code(value) == span


MARKUP = [
    "![x](y)", "www.e.example", "a@e.example", "~~d~~", "<!-- -->", "<https://e.example>", "a\\", "[x]: y", "*a",
    "__a__", "``", "`a", "a`", "a\\|b`", "|", "\\|", "&#65;", "&copy", "&copy;",
]  # fmt: skip


@pytest.mark.parametrize("write", [markdown_cell, markdown_code])
@pytest.mark.parametrize("value", [*PAYLOADS, *MARKUP])
def test_tables_hold_any_text(write: Any, value: str) -> None:
    """Read by a reader of Markdown, a cell is the text that it was: no markup, no link, no further cell."""
    page = MarkdownIt("commonmark").enable("table").render(f"| a | b |\n|---|---|\n| {write(value)} | x |\n")
    first, second = re.findall(r"<td>(.*?)</td>", page, re.DOTALL)
    assert second == "x"
    shown = re.fullmatch(r"(?:<code>)?([^<]*)(?:</code>)?", first)
    assert shown, first
    assert html.unescape(shown[1]).strip() == printable(value.replace("\n", " ")).strip()


@pytest.mark.parametrize("value", ["https://e.example", "www.e.example", "a@e.example", "ftp://x", "WWW.e.example"])
def test_cells_hold_no_address(value: str) -> None:
    """Some readers make links of bare addresses."""
    assert not re.search(r"(?i)(?<!\\)://|www\.|\w@\w", markdown_cell(value))


def test_one_door_quotes() -> None:
    assert write_scalar("on") == '"on"'
    assert write_scalar('"\\\n\x7f\u2028') == '"\\"\\\\\\n\\u007f\\u2028"'
