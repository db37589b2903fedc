"""What the translation of the dialect finds: its uses, what is wrong with them, and the claims that they name."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from tycho.compose.yaml_nodes import YamlNode
from tycho.errors import Problem
from tycho.model import DialectUse


class Notes(Struct):
    """Uses of the dialect in a document, in the order in which they were met.

    Args:
        env: What variables are worth there.
        uses: What was translated, or has no meaning.
        problems: What is refused.
        claims: External volumes that mounts name: key to what the section `volumes` is to say.
    """

    env: Mapping[str, str]
    uses: list[DialectUse]
    problems: list[Problem]
    claims: dict[str, YamlNode] = field(default_factory=dict)

    def translated(self, node: YamlNode, path: str, target: str, becomes: str = "") -> None:
        """Note a use that means the same in another word.

        Args:
            node: Where it stands.
            path: Its Compose path.
            target: What it became, in words.
            becomes: The Compose path of that.
        """
        self.uses.append(_use(node, path, outcome="translated", target=target, becomes=becomes))

    def approximated(self, node: YamlNode, path: str, target: str, becomes: str, reason: str, remedy: str) -> None:
        """Note a use that has the nearest meaning.

        Args:
            node: Where it stands.
            path: Its Compose path.
            target: What it became, in words.
            becomes: The Compose path of that.
            reason: Why it is not the same.
            remedy: What to write instead.
        """
        use = _use(node, path, outcome="approximated", target=target, becomes=becomes, reason=reason, remedy=remedy)
        self.uses.append(use)

    def ignored(self, node: YamlNode, path: str, reason: str, remedy: str) -> None:
        """Note a use that has no meaning here.

        Args:
            node: Where it stands.
            path: Its Compose path.
            reason: Why.
            remedy: What to write instead.
        """
        self.uses.append(_use(node, path, outcome="ignored", reason=reason, remedy=remedy))

    def refused(self, node: YamlNode, path: str, message: str, hint: str) -> None:
        """Note a use that cannot run as asked.

        Args:
            node: Where it stands.
            path: Its Compose path.
            message: What is wrong with it.
            hint: What to write instead.
        """
        self.problems.append(node.problem(path, message, hint))


def _use(node: YamlNode, path: str, **fields: str) -> DialectUse:
    return DialectUse.model_validate({"path": path, "file": node.file, "line": node.line, **fields})
