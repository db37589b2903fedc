"""Build the sdist, and the wheel from it: `dist.py ROOT FOLDER [VERSION]`.

A version that is named must be the program's own: a tag and what is built of it cannot differ.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
from pathlib import Path


def hatchling(root: Path, *words: str) -> str:
    """Run the build back end in a folder, and return what it prints."""
    argv = [sys.executable, "-m", "hatchling", *words]
    return subprocess.run(argv, cwd=root, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def main(root: Path, folder: Path, version: str = "") -> None:
    """Fill the folder with both."""
    if version and version != (own := hatchling(root, "version")):
        sys.exit(f"dist: the version is {own}, not {version}; hint: change __version__ in tycho/__init__.py")
    shutil.rmtree(folder, ignore_errors=True)
    out = str(folder.absolute())
    hatchling(root, "build", "-t", "sdist", "-d", out)
    (sdist,) = folder.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    sources = folder / sdist.name.removesuffix(".tar.gz")
    hatchling(sources, "build", "-t", "wheel", "-d", out)
    shutil.rmtree(sources)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
