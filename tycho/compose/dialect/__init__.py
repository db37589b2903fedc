"""The dialect of the first Tycho: keys that Compose does not have become those that mean the same.

One document at a time, before its variables are replaced and before the schema looks at it. What is made here is read
on as if the file had said it; each use is noted, and is a row of the report. Other files stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from tycho.compose.dialect.extension import add_extension
from tycho.compose.dialect.lookups import translate_lookups
from tycho.compose.dialect.notes import Notes
from tycho.compose.dialect.probes import translate_probes
from tycho.compose.dialect.resources import translate_resources
from tycho.compose.dialect.security import translate_security, translate_system_security
from tycho.compose.dialect.services import translate_service
from tycho.compose.dialect.volumes import translate_volumes
from tycho.compose.yaml_nodes import YamlNode
from tycho.errors import Problem
from tycho.model import DialectUse

__all__ = ["Dialect"]

TRANSLATORS = (translate_service, translate_security, translate_resources, translate_probes, translate_volumes)


class Dialect(Struct):
    """What a project uses of the dialect.

    Args:
        braces: Whether any of its texts holds `{{`.
        uses: Its uses, in the order in which they were met.
        claims: External volumes that its mounts name: key to what the section `volumes` is to say.
    """

    braces: bool = False
    uses: list[DialectUse] = field(default_factory=list)
    claims: dict[str, YamlNode] = field(default_factory=dict)

    def translate(self, document: YamlNode, env: Mapping[str, str], problems: list[Problem]) -> dict[str, YamlNode]:
        """Translate a document; the document itself changes.

        Args:
            document: One of a compose file, as it was parsed.
            env: What variables are worth there.
            problems: Where it is told what is wrong.

        Returns:
            The external volumes that it is the first to name.
        """
        notes = Notes(env, self.uses, problems)
        if self.braces:
            translate_lookups(document, notes)
        common = document.map.pop("security_context", None)
        for root in ("services", "jobs"):
            section = document.get(root)
            for name, service in section.map.items() if section else ():
                if isinstance(service.value, dict):
                    for translate in TRANSLATORS:
                        translate(service, f"{root}.{name}", notes)
        if common is not None:
            translate_system_security(common, document, notes)
        claims = {key: claim for key, claim in notes.claims.items() if key not in self.claims}
        self.claims |= claims
        return claims

    def finish(self, tree: YamlNode) -> None:
        """Declare the claims, and say that neighbours select pods by the labels that the first Tycho gave them.

        Args:
            tree: All documents together; it changes.
        """
        if not self.uses:
            return
        first = YamlNode(value=True, file=self.uses[0].file, line=self.uses[0].line)
        add_extension(tree, "portalLabels", first)
        if self.claims:
            volumes = tree.map.setdefault("volumes", first.with_value({}))
            volumes.value = {
                **volumes.map,
                **{key: claim for key, claim in self.claims.items() if key not in volumes.map},
            }
