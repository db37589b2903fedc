"""Find secret files, by name or content: they are part of the release, never of a chart."""

from __future__ import annotations

import posixpath
import re

from msgspec import Struct

from tycho.chart.services import all_services
from tycho.chart.workload_kind import tycho_extension
from tycho.credentials import holds_credentials
from tycho.globs import fits
from tycho.model import Live, Project, ProjectFile

# A file of certificates, public keys and parameters alone is no secret, whatever it is called.
_PUBLIC = re.compile(
    r"CERTIFICATE|X509 CERTIFICATE|TRUSTED CERTIFICATE|X509 CRL|PUBLIC KEY|RSA PUBLIC KEY|DH PARAMETERS"
)
_BEGIN = re.compile(r"-----BEGIN ([A-Z0-9 ]{1,40})-----")
SHORTEST = 6  # characters of a value that is looked for in files
_CERTIFICATES = (".pem", ".crt", ".cer")


class SecretFileRules(Struct, frozen=True):
    """Tell which files are secret.

    Args:
        globs: Of names, the last one first: the first that fits decides, and `!` takes names back.
        exact: Whole names and paths of files that are not, whatever they hold.
        values: Secret values that the compose file itself writes out: a copy of it is as secret as they are.
    """

    globs: tuple[str, ...]
    exact: frozenset[str]
    values: tuple[bytes, ...]

    @classmethod
    def of(cls, system: Project) -> SecretFileRules:
        """Read what a system says: `x-tycho: {secretFiles: […]}` has globs, where `!` takes names back."""
        globs = tuple(str(glob).lower() for glob in tycho_extension(system).get("secretFiles") or ())
        back = tuple(glob[1:] for glob in globs if glob.startswith("!"))
        return cls(
            globs[::-1],
            frozenset(glob for glob in back if not set(glob) & set("*?[")),
            _written_values(system),
        )

    def is_secret(self, source: str, file: ProjectFile) -> bool:
        """Tell whether a file is no part of a chart.

        Args:
            source: What the bind or config names, from the project's folder on.
            file: The file, or one of those below the folder.
        """
        if file.release_only:
            return True
        names = _names(source, file)
        if not file.content or self.exact.intersection(names):
            return False  # nothing to hide, and nothing to give
        if self._is_secret_name(names):
            return not (names[0].endswith(_CERTIFICATES) and _is_public(file.content))
        return holds_credentials(file.content) or (
            b"services:" in file.content and any(value in file.content for value in self.values)
        )

    def _is_secret_name(self, names: list[str]) -> bool:
        last = next((glob for glob in self.globs if _fits_any(names, glob.removeprefix("!"))), "!")
        return not last.startswith("!")


def _written_values(system: Project) -> tuple[bytes, ...]:

    services = all_services(system).values()
    written = (service.environment[name] for service in services for name in service.environment_secret)
    values = {
        value for value in written if value is not None and not isinstance(value, Live) and len(value) >= SHORTEST
    }
    return tuple(value.encode(errors="replace") for value in sorted(values))


def _names(source: str, file: ProjectFile) -> list[str]:
    """List the names that globs are compared with: the path, and each of its ends down to the file name."""
    names = []
    for path in (posixpath.join(source, file.path) if file.path else source, file.origin):
        steps = [step for step in posixpath.normpath(path.lower()).split("/") if step not in (".", "..", "")]
        names += ["/".join(steps[start:]) for start in reversed(range(len(steps)))]
    return names


def _is_public(content: bytes) -> bool:
    labels = _BEGIN.findall(content.decode("utf-8", "replace"))
    return bool(labels) and all(_PUBLIC.fullmatch(label) for label in labels)


def _fits_any(names: list[str], glob: str) -> bool:
    return bool(glob) and any(fits(name, glob) for name in names)
