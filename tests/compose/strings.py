"""Random text in Compose's small languages: templates, env files, command lines; hundreds of them in one project."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from tests.compose import oracle

Made = st.SearchStrategy[str]
ENV = {"FOO": "first", "EMPTY": "", "QUOTED": "a 'b\" c", "DOLLAR": "$FOO", "a": "x"}
NAME = st.sampled_from(["FOO", "EMPTY", "UNSET", "DOLLAR", "_x1", "QUOTED"])
PLAIN = st.sampled_from(
    ["", "a", "a b", "-", ":", "/x:y", ' {"a":1}', "é", "$", "$$", "$$$", "}", "1.5", "#", "'", "\ufffd"]
)
TANGLED = st.lists(
    st.sampled_from(
        ["${A", "${A:-", "${missing-", "${FOO:+", "${BAR?", "${", "$", "$$", "{", "}", "{}", "}}", "{{", "A", "FOO",
         ":-", "?", " ", "é", "\ufffd", "\ue000", "x", '{"a":{"b":1}}', "$A", "${FOO}", "-", "'", "\\"]
    ),
    max_size=9,
).map("".join)  # fmt: skip
REFERENCE = NAME.map("${}".format) | NAME.map("${{{}}}".format) | NAME.map("$${{{}}}".format)
WRONG = st.sampled_from(
    ["${", "${}", "${ FOO}", "${FOO }", "${1}", "$1", "${FOO", "${FOO:0:1}", "${FOO/a/b}", "${a:=b}"]
)
# What is not used may not be wrong: 2.40 looks at it nevertheless, and is alone with that.
RIGHT = st.recursive(
    PLAIN | REFERENCE,
    lambda inner: st.builds("${{{}{}{}{}}}".format, NAME, st.sampled_from([":-", "-", ":+", "+"]), inner, inner),
    max_leaves=4,
)
USED = st.sampled_from(["UNSET:-", "UNSET-", "EMPTY:-", "FOO:+", "FOO+", "EMPTY+", "UNSET?", "UNSET:?", "EMPTY:?"])
TEMPLATE = st.lists(
    st.one_of(
        RIGHT,
        WRONG,
        st.just("\n"),
        st.builds("${{{}{}{}}}".format, NAME, st.sampled_from([":?", "?"]), RIGHT),
        st.builds("${{{}{}{}}}".format, USED, RIGHT | WRONG, RIGHT | WRONG),
    ),
    min_size=1,
    max_size=4,
).map("".join)

KEY = st.sampled_from(
    ["A", "B", "FOO", "C.d", "e-f", "g[0]", "é", "export A", "  A", "A ", "1", "A B", "%x", "x$y", ""]
)
SEPARATOR = st.sampled_from(["=", "=", "= ", " =", ": ", ":", " = ", ""])
INSIDE = st.lists(
    st.sampled_from(
        ["a", " ", "#", " # c", "\\n", "\\t", "\\$", "\\\\", "\\x07", "\\0123", "\\'", '\\"', "\n", "=", "é"]
    )
    | NAME.map("${}".format)
    | NAME.map("${{{}:-d}}".format)
    | NAME.map("${{A:-{}}}".format)
    | st.sampled_from(["$$", "$A", "${B}", "${A:?no}", "${FOO:?no}", "${A+b}", "$"]),
    max_size=4,
).map("".join)
VALUE = st.one_of(INSIDE, INSIDE.map("'{}'".format), INSIDE.map('"{}"'.format), INSIDE.map('"{}'.format))
LINE = st.builds("{}{}{}{}".format, KEY, SEPARATOR, VALUE, st.sampled_from(["", "", " # c", " ", "\t", "x"]))
DOTENV = st.builds(
    "{}{}\n".format,
    st.sampled_from(["", "", "\ufeff"]),
    st.lists(LINE | st.sampled_from(["", "# c", "  # c"]), max_size=4).flatmap(
        lambda lines: st.sampled_from(["\n", "\n", "\r\n"]).map(lambda end: end.join(lines))
    ),
)

COMMAND = st.lists(
    st.sampled_from(
        ["a", "b", " ", "  ", "\t", "\n", "'", '"', "\\", "\\ ", "''", '""', "'a b'", '"a b"', "`", "$(", ")", "(", ";",
         "&&", "|", ">", "2>", "<", "#", "=", "é", "*", "~", "$$x", "--x=y", "{", "}", "\\n", "\\\n", "`a b`",
         "$$(a b)", "a=b", "!", "\r"]
    ),
    max_size=9,
).map("".join)  # fmt: skip


def disagreements(
    folder: Path, services: Mapping[str, Any], files: Mapping[str, str], newer: Path | None
) -> Iterator[str]:
    """Where the two readings of some services differ, each service for itself; the newer library has the last word.

    Those that we accept go into one project, which must be the same; each of those that we refuse they must refuse.
    """
    refused = [name for name in services if _refused(folder, {name: services[name]}, files)]
    accepted = [name for name in services if name not in refused]
    yield from _together(folder, services, accepted, files, newer)
    for name in refused:
        _write(folder, {name: services[name]}, files)
        if oracle.unsettled(folder, "compose.yaml", env=ENV, newer=newer):
            yield f"we refuse: {services[name]!r}"


def _together(
    folder: Path, services: Mapping[str, Any], names: Sequence[str], files: Mapping[str, str], newer: Path | None
) -> Iterator[str]:
    _write(folder, {name: services[name] for name in names}, files)
    lines = oracle.unsettled(folder, "compose.yaml", env=ENV, newer=newer)
    if not lines or len(names) < 2 or not lines[0].startswith("they refuse"):
        yield from lines
        return
    yield from _together(folder, services, names[: len(names) // 2], files, newer)
    yield from _together(folder, services, names[len(names) // 2 :], files, newer)


def _write(folder: Path, services: Mapping[str, Any], files: Mapping[str, str]) -> None:
    oracle.write(folder, {"compose.yaml": {"services": services or {"none": {"image": "x"}}}, **files})


def _refused(folder: Path, services: Mapping[str, Any], files: Mapping[str, str]) -> bool:
    _write(folder, services, files)
    try:
        oracle.ours(folder, "compose.yaml", env=ENV)
    except oracle.Refused:
        return True
    return False
