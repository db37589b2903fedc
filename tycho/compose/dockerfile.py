"""Which folders of a build's context its Dockerfile copies to which place of the image.

Source: the Dockerfile reference, sections FROM, ARG, ENV, WORKDIR, COPY and ADD.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator, Mapping

from msgspec import Struct, field

MAX_DOCKERFILE = 256 * 1024  # bytes

_HEREDOC = re.compile(r"<<-?[\"']?([A-Za-z_][A-Za-z0-9_]*)[\"']?")
_VARIABLE = re.compile(r"\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\})")
_FLAG = re.compile(r"--[a-z-]+(=\S*)?")


class _Stage(Struct):
    """A stage of a build, as far as it is read.

    Args:
        folder: Its working directory.
        variables: What ARG and ENV say.
        copied: Paths of the context, and where each is in the image.
    """

    folder: str = "/"
    variables: dict[str, str] = field(default_factory=dict)
    copied: list[tuple[str, str]] = field(default_factory=list)


def copies_folder(text: str, source: str, target: str, *, stage: str = "", args: Mapping[str, str]) -> bool:
    r"""Tell whether an image holds a whole folder of its build context at a path.

    Args:
        text: The Dockerfile.
        source: The folder, from the context on; "." is the whole context.
        target: The absolute path in the image.
        stage: The stage that is built; the last one by default.
        args: Build arguments.

    Example:
        >>> copies_folder("FROM a\nWORKDIR /app\nCOPY . .", "src", "/app/src", args={})
        True
    """
    built = _read_stages(text, args).get(stage.lower())
    folder, place = posixpath.normpath(source), posixpath.normpath(target)
    for path, held in built.copied if built else ():
        below = posixpath.relpath(folder, path)
        if not below.startswith("..") and posixpath.normpath(posixpath.join(held, below)) == place:
            return True
    return False


def is_ignored(text: str, source: str) -> bool:
    r"""Tell whether a build leaves a whole folder of its context out.

    Args:
        text: The `.dockerignore`: the last pattern that fits decides, and `!` takes a path back.
        source: The folder, from the context on.

    Example:
        >>> is_ignored("**/data\n!web/data", "api/data"), is_ignored("**/data\n!web/data", "web/data")
        (True, False)
    """
    steps = posixpath.normpath(source).split("/")
    paths = ["/".join(steps[: count + 1]) for count in range(len(steps))]  # what holds it, and itself
    ignored = False
    for line in text.splitlines():
        pattern = line.strip()
        if not pattern or pattern.startswith("#"):
            continue
        back = pattern.startswith("!")
        glob = _glob(posixpath.normpath(pattern.removeprefix("!").strip().lstrip("/") or "."))
        if any(map(glob.fullmatch, paths)):
            ignored = not back
    return ignored


def _glob(pattern: str) -> re.Pattern[str]:
    """Write a pattern of Go's filepath.Match, with `**` for any number of folders, as an expression."""
    words = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    return re.compile("".join(words.get(part) or re.escape(part) for part in parts), re.DOTALL)


def _read_stages(text: str, args: Mapping[str, str]) -> dict[str, _Stage]:
    """Read every stage by its name and number; "" is the last one."""
    stages: dict[str, _Stage] = {}
    outside: dict[str, str] = {}
    stage, count = _Stage(), 0
    for word, arguments in _instructions(text):
        if word == "FROM":
            parts = [part for part in _expand(arguments, outside).split() if not _FLAG.fullmatch(part)]
            base = stages.get(parts[0].lower(), _Stage()) if parts else _Stage()
            stage = _Stage(base.folder, dict(base.variables), list(base.copied))
            stages[str(count)] = stages[""] = stage
            count += 1
            if len(parts) == 3 and parts[1].lower() == "as":
                stages[parts[2].lower()] = stage
        elif word == "ARG":
            name, _, default = arguments.partition("=")
            known = outside if not count else stage.variables
            known[name] = args.get(name, _expand(default.strip("\"'"), known) or outside.get(name, ""))
        elif word == "ENV":
            stage.variables |= _assignments(arguments, stage.variables)
        elif word == "WORKDIR":
            stage.folder = posixpath.join(stage.folder, _expand(arguments.strip("\"'"), stage.variables))
        elif word in ("COPY", "ADD"):
            stage.copied += _copied(arguments, stage)
    return stages


def _instructions(text: str) -> Iterator[tuple[str, str]]:
    """Yield the instructions with their arguments; continued lines are one, documents in them are skipped."""
    lines = iter(text.splitlines())
    for line in lines:
        whole = line.strip()
        while whole.endswith("\\"):
            following = next(lines, "").strip()
            whole = whole if following.startswith("#") else f"{whole[:-1].rstrip()} {following}"
            if not following:
                break
        if not whole or whole.startswith("#"):
            continue
        for mark in _HEREDOC.findall(whole):
            while (next(lines, mark)).strip() != mark:
                pass
        word, _, arguments = whole.partition(" ")
        yield word.upper(), arguments.strip()


def _copied(arguments: str, stage: _Stage) -> Iterator[tuple[str, str]]:
    flag = _FLAG.match(arguments)
    while flag:
        if flag[0].startswith(("--from=", "--exclude=")):
            return  # of another stage, or not the whole folder
        arguments = arguments[flag.end() :].lstrip()
        flag = _FLAG.match(arguments)
    words = [_expand(word, stage.variables) for word in _words(arguments)]
    if len(words) > 1:
        target = posixpath.join(stage.folder, words[-1])
        for source in words[:-1]:
            if "://" not in source and "<<" not in source:
                yield posixpath.normpath(source.lstrip("/") or "."), posixpath.normpath(target)


def _words(arguments: str) -> list[str]:
    if arguments.startswith("["):
        try:
            parsed = json.loads(arguments)
        except ValueError:
            return []
        return [word for word in parsed if isinstance(word, str)] if isinstance(parsed, list) else []
    return arguments.split()


def _assignments(arguments: str, known: Mapping[str, str]) -> dict[str, str]:
    if "=" not in arguments.partition(" ")[0]:  # the older form: ENV NAME VALUE
        name, _, value = arguments.partition(" ")
        return {name: _expand(value.strip(), known)}
    pairs = re.findall(r"([A-Za-z_][A-Za-z0-9_]*)=(\"[^\"]*\"|'[^']*'|\S*)", arguments)
    return {name: _expand(value.strip("\"'"), known) for name, value in pairs}


def _expand(text: str, known: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda match: known.get(match[1] or match[2]) or match[3] or "", text)
