"""Docker Compose itself, asked what a file means; and our own answer, made comparable.

The program comes with a package of the development environment and needs no daemon: `config` only reads.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml

from tycho.compose import Sources, canonical, load, uninterpolated
from tycho.compose.go_scalars import format_go
from tycho.errors import ComposeError

Tree = dict[str, Any]
PAIRS = ("environment", "labels", "args", "annotations", "sysctls")
SILENT = (("create_host_path", True), ("extra_hosts", []))  # there or not, it says the same
HERE = Path(__file__).parent


class Refused(Exception):
    """The file is not accepted."""


@cache
def program() -> Path:
    """The real docker-compose; not the script that hides its exit status."""
    spec = find_spec("compose")
    assert spec
    assert spec.submodule_search_locations
    return Path(next(iter(spec.submodule_search_locations))) / "docker-compose"


def environment(folder: Path, variables: Mapping[str, str]) -> dict[str, str]:
    return {"HOME": str(folder), "PATH": "/nonexistent", **variables}


def theirs(
    folder: Path, *files: str, env: Mapping[str, str] | None = None, options: Sequence[str] = (), stdin: str = "",
    interpolate: bool = True, newer: Path | None = None,
) -> Tree:  # fmt: skip
    """What Docker Compose makes of the files in a folder; `newer`: what its library makes of them."""
    chosen = [word for file in files for word in ("-f", file)]
    how = ("config", "--format", "json", *(() if interpolate else ("--no-interpolate",)))
    done = subprocess.run(
        [newer or program(), *chosen, *options, *(() if newer else how)], cwd=folder,
        env=environment(folder, env or {}), input=stdin, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    if done.returncode:
        raise Refused(" ".join(line for line in done.stderr.splitlines() if not line.startswith("time=")))
    printed: Tree = json.loads(done.stdout)
    return printed


def flags(options: Mapping[str, Any]) -> list[str]:
    """Options of a project as words of a command line."""
    words = [word for file in options.get("env_files", ()) for word in ("--env-file", file)]
    words += [word for profile in options.get("profiles", ()) for word in ("--profile", profile)]
    words += ["--project-name", options["name"]] if "name" in options else []
    return words + (["--project-directory", options["project_directory"]] if "project_directory" in options else [])


def ours(
    folder: Path, *files: str, env: Mapping[str, str] | None = None, interpolate: bool = True, **options: Any
) -> Tree:
    """What we make of them."""
    try:
        sources = Sources.from_disk(files, env=environment(folder, env or {}), cwd=str(folder), **options)
        return dict(canonical(load(sources), sources) if interpolate else uninterpolated(sources))
    except ComposeError as error:
        messages = [" ".join(str(problem).split()) for problem in error.problems] or [error.message]
        raise Refused("\0".join(messages)) from None


def normal(tree: Any, key: str = "") -> Any:
    """What is left when only the meaning counts: sets in one order, nothing that says nothing."""
    if isinstance(tree, list) and key in PAIRS:  # merged with their variables in place, they are a list there
        tree = {name: value[0] if value else None for name, *value in (str(entry).split("=", 1) for entry in tree)}
    if isinstance(tree, dict) and key in PAIRS:
        return {name: _text(value) for name, value in tree.items()}
    if isinstance(tree, dict):
        tree = {name: _hook(value) if name == "exec" else value for name, value in tree.items()}
        kept = {name: _text(value) if name == "published" else normal(value, name) for name, value in tree.items()}
        kept = {
            name: value for name, value in kept.items() if not (name in ("command", "entrypoint") and value is None)
        }
        return {name: value for name, value in kept.items() if (name, value) not in SILENT}
    if isinstance(tree, list):
        entries = [normal(entry) for entry in tree]
        if key in ("post_start", "pre_stop"):  # one without a command does nothing, however that is written
            return [_hook(entry) for entry in entries]
        return sorted(entries, key=_order) if key in ("ports", "volumes", "ssh") else entries
    return tree


def _hook(hook: Tree) -> Tree:
    return {name: value for name, value in hook.items() if name != "command" or value}


def _order(entry: Any) -> tuple[str, str]:
    return str(entry.get("target")) if isinstance(entry, dict) else "", json.dumps(entry, sort_keys=True)


def _text(value: Any) -> str | None:
    """A scalar as the text that it is; JSON has no floats that are whole."""
    return (
        None if value is None else format_go(int(value) if isinstance(value, float) and value.is_integer() else value)
    )


def differing(ours: Any, theirs: Any, path: str = "") -> Iterator[str]:
    """Every place where two trees are not the same."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted(ours.keys() | theirs.keys()):
            yield from differing(ours.get(key, "(absent)"), theirs.get(key, "(absent)"), f"{path}.{key}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for i, (mine, other) in enumerate(zip(ours, theirs, strict=True)):
            yield from differing(mine, other, f"{path}[{i}]")
    elif ours != theirs or isinstance(ours, bool) != isinstance(theirs, bool):
        yield f"{path}: ours {ours!r}, theirs {theirs!r}"


def disagreement(
    folder: Path, *files: str, env: Mapping[str, str] | None = None, interpolate: bool = True,
    newer: Path | None = None, **options: Any,
) -> list[str]:  # fmt: skip
    """How our reading of the files differs from theirs, a line for each place; nothing where it does not."""
    try:
        expected = theirs(folder, *files, env=env, options=flags(options), interpolate=interpolate, newer=newer)
    except Refused as error:
        if "panic:" in str(error):  # it fell over, and said nothing of the file
            return []
        try:
            ours(folder, *files, env=env, interpolate=interpolate, **options)
        except Refused:
            return []
        return [f"they refuse: {error}"]
    try:
        actual = ours(folder, *files, env=env, interpolate=interpolate, **options)
    except Refused as error:
        return [f"we refuse: {line}" for line in str(error).split("\0")]
    if newer:
        actual, expected = (_settled(tree) for tree in (actual, expected))
    return list(differing(normal(actual), normal(expected)))


def _settled(tree: Tree) -> Tree:
    """Without the files whose content is there already: the program leaves them out, the library in part."""
    for root in ("services", "jobs"):
        for service in tree.get(root, {}).values():
            for part in (service, *service.get("pre_start", ())):
                part.pop("env_file", None)
                part.pop("label_file", None)
    return tree


def unsettled(folder: Path, *files: str, newer: Path | None, env: Mapping[str, str] | None = None) -> list[str]:
    """A disagreement that is not on the list, and that the newer library does not decide for us."""
    lines = unlisted(disagreement(folder, *files, env=env))
    return disagreement(folder, *files, env=env, newer=newer) if lines and newer else lines


@cache
def differences() -> list[dict[str, Any]]:
    """Where we differ on purpose."""
    listed: list[dict[str, Any]] = yaml.safe_load((HERE / "differences.yaml").read_text())
    return listed


def unlisted(disagreement: Iterable[str]) -> list[str]:
    """The lines of a disagreement that are not on the list, each for itself: none hides behind another."""
    signs = [re.compile(difference["sign"]) for difference in differences()]
    return [line for line in disagreement if not any(sign.fullmatch(line) for sign in signs)]


def write(folder: Path, files: Mapping[str, str | Tree]) -> Path:
    """Files of a project; a tree becomes YAML."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            content if isinstance(content, str) else yaml.safe_dump(content, sort_keys=False), encoding="utf-8"
        )
    return folder
