"""Programs built from their published source: a small Go module around each of theirs."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tycho.errors import ToolMissing
from tycho.settings import environment, settings
from tycho.toolchain.files import Progress
from tycho.toolchain.process import delay_signals, tail
from tycho.toolchain.programs import Program, version

OLDEST = (1, 21)  # the first that fetches the Go which a module asks for
HOW = "install Go (go.dev/doc/install), or put {names} on PATH"


def build(programs: Sequence[Program], progress: Progress) -> None:
    """Build programs of one module into the cache.

    Args:
        programs: Which; of one module and one version.
        progress: Told what takes time.

    Raises:
        ToolMissing: There is no Go, or the build failed.
    """
    first = programs[0]
    names = ", ".join(program.name for program in programs)
    subject = f"{names} {first.version}"
    go = shutil.which("go", path=environment().get("PATH"))
    if not go or version(Path(go), ["version"]) < OLDEST:
        raise ToolMissing(
            f"{subject}: not here, no download to be had, and no Go {OLDEST[0]}.{OLDEST[1]} to build it",
            hint=HOW.format(names=names),
        )
    minutes = max(1, round(sum(program.seconds for program in programs) / 60))
    progress(f"building {subject} (once, about {minutes} min)")
    folder = settings().cache_dir / "build" / f"{first.module.replace('/', '-')}-{first.version}"
    made = folder / "bin"
    made.mkdir(parents=True, exist_ok=True)
    _module(go, first, folder, subject)
    stamps = (stamp.format(version=first.version, minor=first.version.split(".")[1]) for stamp in first.stamps)
    flags = " ".join(["-s -w", *(f"-X {stamp}" for stamp in stamps)])
    packages = [program.module + program.package for program in programs]
    tags = ["-tags", ",".join(first.tags)] if first.tags else []
    argv = [go, "build", "-trimpath", *tags, "-ldflags", flags, "-o", f"{made}/", *packages]
    _go(argv, folder, subject, cgo=bool(tags))
    for program, package in zip(programs, packages, strict=True):
        program.cached.parent.mkdir(parents=True, exist_ok=True)
        (made / re.sub(r"/v\d+$", "", package).rpartition("/")[2]).replace(program.cached)


def _module(go: str, program: Program, folder: Path, subject: str) -> None:
    """Write the module: `go install` refuses what replaces modules by folders, as Kubernetes and etcd do.

    Kubernetes's own modules carry no version there, but are published: v0.X.Y belongs to v1.X.Y.
    """
    argv = [go, "mod", "download", "-json", f"{program.module}@v{program.version}"]
    (folder / "go.mod").write_text("module tycho.local/build\n")
    theirs = Path(json.loads(_go(argv, folder, subject))["GoMod"]).read_text()
    language = re.search(r"^go .*$", theirs, re.MULTILINE)
    staged = sorted(set(re.findall(r"(\S+) => \./staging/", theirs)))
    lines = [
        "module tycho.local/build",
        language[0] if language else "",
        f"require {program.module} v{program.version}",
        *(f"replace {name} => {name} v0.{program.version.partition('.')[2]}" for name in staged),
    ]
    (folder / "go.mod").write_text("\n".join(lines) + "\n")


def _go(argv: Sequence[str], folder: Path, subject: str, *, cgo: bool = False) -> str:
    """Run go; whatever ends this process's waiting ends go and its compilers, too."""
    env = {**environment(), "CGO_ENABLED": str(int(cgo)), "GOFLAGS": "-buildvcs=false -mod=mod", "GOWORK": "off"}
    log = folder / "build.log"
    with log.open("ab") as errors, delay_signals() as let_signals_in:
        process = subprocess.Popen(
            argv, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors,
            text=True, start_new_session=True,
        )  # fmt: skip
        try:
            let_signals_in()
            out, _ = process.communicate()
        except BaseException:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise
    if process.returncode:
        with log.open("a") as errors:
            errors.write(out)
        raise ToolMissing(f"building {subject} failed:\n{tail(log)}", hint=f"read {log}")
    return out
