"""The text of a policy: the values that a compose file of the same text has, and the line of every path in it.

Both are read by the compose YAML reader, so scalars, merge keys, anchors and limits are the same.
"""

from __future__ import annotations

from collections.abc import Iterator

from tycho.compose.yaml_nodes import Unreadable, YamlNode, child_path, parse, to_python
from tycho.errors import PolicyError, Problem
from tycho.model import Json
from tycho.model.compose_paths import parent_path
from tycho.text import count

Lines = dict[str, int]


def read_yaml(text: bytes, file: str) -> tuple[Json, Lines]:
    """Parse a policy file.

    Args:
        text: UTF-8 YAML, one document; an empty one is None.
        file: The file as the user named it.

    Returns:
        Its value, and the line of every path in it, such as `patch.ports[0]`.

    Raises:
        PolicyError: A compose file could not hold this YAML either, it has several documents, or a tag of a merge.
    """
    try:
        documents = parse(text, file)
    except Unreadable as error:
        raise policy_error(file, [error.problem]) from error
    if len(documents) > 1:
        problem = documents[1].problem("", "a policy is one YAML document", "write each policy into a file of its own")
        raise policy_error(file, [problem])
    if not documents:
        return None, {}
    lines: Lines = {}
    problems: list[Problem] = []
    for path, node in _walk(documents[0], ""):
        lines[path] = node.line
        if node.tag in ("reset", "override"):
            problems.append(node.problem(path, f"the tag !{node.tag} has no meaning in a policy", "remove the tag"))
    if problems:
        raise policy_error(file, problems)
    return to_python(documents[0]), lines


def policy_error(file: str, problems: list[Problem]) -> PolicyError:
    """Return the error of a policy file that cannot be used."""
    return PolicyError(f"{count(len(problems), 'problem')} in the policy {file}", problems=problems)


def find_line(lines: Lines, path: str) -> int:
    """Return the line of a path, or of the nearest one above it; 0 where there is none."""
    while path not in lines and path:
        path = parent_path(path)
    return lines.get(path, 0)


def _walk(node: YamlNode, path: str) -> Iterator[tuple[str, YamlNode]]:
    """Yield every node with its path, from the outermost one on."""
    yield path, node
    for key, child in node.map.items():
        yield from _walk(child, child_path(path, key))
    for index, child in enumerate(node.seq):
        yield from _walk(child, child_path(path, index))
