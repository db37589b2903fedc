"""Texts that some reader takes for something else: words and numbers of YAML, syntax, space, characters that act."""

from __future__ import annotations

WORDS = ["on", "off", "yes", "no", "y", "n", "true", "False", "null", "~", "Null", "NaN", ".nan", ".inf", "-.Inf"]
NUMBERS = [
    "0", "123", "-1", "+7", "0755", "08", "0o17", "0x10", "0b11", "1_000", "1e3", "1E+2", "1.10", ".5", "5.", "1.",
    "190:20:30", "1:30", "12:30:45.5", "9223372036854775808", "1e999", "\u0663", "\u00b2",
]  # fmt: skip
DATES = ["2024-01-01", "2024-01-01T00:00:00Z", "2024-01-01 1:2:3"]
SPACES = ["", " ", " a", "a ", "\ta", "a\tb", "a\nb", "a\n", "\n\n", "a\r\nb", "a  b", "\u00a0", "a\x0bb"]
SYNTAX = [
    "'", '"', "\\", "\\n", '\\"', "a: b", "a:", ": a", "- a", "-", "? a", "#", "a #b", "&a", "*a", "!t", "!!int 1",
    "|", ">", "|-", "%", "@", "`", "a`b``c", "{}", "[]", "{a: 1}", "[a, b]", "=", "<<", "---", "...", ",", "a|b\\|c",
]  # fmt: skip
ENGINES = [
    "{{ .Values }}", "{{", "}}", "{{/*", "{{`x`}}", '{{ fail "run" }}', "{", "}", "<%= 1 %>", "<%", "%>", "<%#", "{%",
    "$X", "${X}", "${X:-y}", "$$", "$", "${", "$(X)", "$$(X)", "`id`", "$(id)", "; id", "%s%n", "\\u0041", "\\x41",
]  # fmt: skip
CHARACTERS = [
    "\0", "\x07", "\x1b[31mred", "\x7f", "\x80", "\x85", "\x9b31m", "a\u2028b", "a\u2029b", "\ufeff", "a\ufeffb",
    "\ufffe", "\uffff", "\U0001f600", "\U0010ffff", "\u202egnp", "e\u0301", "\u0645\u0631", "\u65e5\u672c", "\u200b",
    "\u00ff3x\u00ff4", "\ud800", "a\udcffb",
]  # fmt: skip
PAGES = ["<img src=x onerror=y>", "[x](javascript:y)", "https://e.example", "a_b_", "**b**", "&lt;", "<!--"]
LONG = ["a" * 300, "b" * 5000]
NAMES = [  # and what some places take alone
    "on-1", "a.b", "a--b", "A", "x" * 63, "x" * 64, "a/b", "../a", "node.role", "e.example", "10.0.0.1", "8080",
         "0 3 * * *", "2g",
]  # fmt: skip

PAYLOADS = tuple(
    dict.fromkeys([*WORDS, *NUMBERS, *DATES, *SPACES, *SYNTAX, *ENGINES, *CHARACTERS, *PAGES, *LONG, *NAMES])
)

BYTES = (
    b"\xff", b"a\xffb", b"\xff3x\xff4", b"\x00", b"\xef\xbb\xbfmark", b"\xfe\xff\x00a", b"\xed\xa0\x80", b"\xc0\x80",
    b"a\r\nb", b"\xc2\x85", b"\xe2\x80\xa8", b"{{ .Values }}\xff",
)  # fmt: skip
"""What files hold that is no text, or nearly."""
