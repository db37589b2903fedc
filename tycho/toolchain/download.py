"""Official downloads of programs, each held to its published checksum."""

from __future__ import annotations

import hashlib
import io
import platform
import tarfile
from http.client import HTTPException
from urllib.request import urlopen

from tycho.errors import ToolMissing
from tycho.toolchain.files import Progress
from tycho.toolchain.programs import ARCHITECTURE, Program

PATIENCE = 10.0  # seconds of silence


def download(program: Program, progress: Progress) -> bool:
    """Bring a program into the cache, and say whether that could be done.

    Args:
        program: Which.
        progress: Told what takes time.

    Raises:
        ToolMissing: What came is not what the checksum was published for.
    """
    known = {
        "name": program.name,
        "version": program.version,
        "os": platform.system().lower(),
        "arch": ARCHITECTURE,
    }
    url = program.url.format(**known)
    if not url:
        return False
    sums = program.sums.format(url=url, folder=url.rpartition("/")[0])
    try:
        published = _get(sums).decode()
        progress(f"downloading {program.name} {program.version}")
        content = _get(url)
    except (OSError, HTTPException):  # no network, no such file: there is another way
        return False
    if hashlib.sha256(content).hexdigest() != _sum(published, url.rpartition("/")[2]):
        raise ToolMissing(f"{url} is not what its checksum in {sums} was made of; it was thrown away")
    if program.member:
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            member = archive.extractfile(program.member.format(**known))
            if member is None:
                raise ToolMissing(f"{url} does not hold {program.member.format(**known)}")
            content = member.read()
    program.cached.parent.mkdir(parents=True, exist_ok=True)
    part = program.cached.with_suffix(".part")
    part.write_bytes(content)
    part.chmod(0o755)
    part.replace(program.cached)
    return True


def _get(url: str) -> bytes:
    if not url.startswith("https://"):
        raise ToolMissing(f"{url} is not fetched over https")
    with urlopen(url, timeout=PATIENCE) as answer:  # noqa: S310
        content: bytes = answer.read()
    return content


def _sum(published: str, name: str) -> str:
    """The SHA-256 of a file, from `<sum>` alone or from lines of `<sum>  <name>`."""
    for line in published.splitlines():
        checksum, _, of = line.partition(" ")
        if of.strip(" *") in ("", name):
            return checksum
    return ""
