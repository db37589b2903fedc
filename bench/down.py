"""`tycho down` of fifty systems, beside the same fifty by `xargs -P4 helm uninstall` and `kubectl delete namespace`."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tycho import localcluster
from tycho.toolchain import programs

TYCHO = str(Path(sys.executable).with_name("tycho"))
COUNT = int(os.environ.get("DOWN_COUNT", "50"))
SHARE = 1.2  # of what the script takes
FILE = "services: {web: {image: 'nginx:1.27', ports: ['80'], environment: {LEVEL: info}}}\n"


def main() -> int:
    name = f"down-{os.getpid()}"
    with tempfile.TemporaryDirectory() as folder:
        kubeconfig = localcluster.create(name, progress=print, provider="native").kubeconfig
        try:
            return _measure(kubeconfig, Path(folder))
        finally:
            localcluster.delete(name)


def _measure(kubeconfig: Path, folder: Path) -> int:
    helm, kubectl = str(programs.tool("helm")), str(programs.tool("kubectl"))
    env = {**os.environ, "KUBECONFIG": str(kubeconfig), "TYCHO_HELM": helm}
    file = folder / "compose.yaml"
    file.write_text(FILE)

    def run(*argv: str, given: str = "") -> str:
        done = subprocess.run(argv, env=env, input=given, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.stderr[-2000:])
        return done.stdout

    def start(kind: str) -> list[str]:
        """Start all systems; return their releases, which are their namespaces, too."""
        up = f"{TYCHO} up -f {file} --name {kind}-$0 -q --no-wait"
        run("xargs", "-P4", "-n1", "sh", "-c", up, given="\n".join(map(str, range(COUNT))))
        listed = run(kubectl, "get", "namespaces", "-l", "executor=tycho", "-o", "name").split()
        return [line.partition("/")[2] for line in listed if line.startswith(f"namespace/{kind}-")]

    def measure(*argv: str, given: str = "") -> float:
        begun = time.monotonic()
        run(*argv, given=given)
        return time.monotonic() - begun

    releases = start("theirs")
    uninstall = f"{helm} uninstall $0 -n $0"
    theirs = measure("xargs", "-P4", "-n1", "sh", "-c", uninstall, given="\n".join(releases))
    theirs += measure(kubectl, "delete", "namespace", "--wait", *releases)
    ours = measure(TYCHO, "down", *start("ours"))
    late = ours > SHARE * theirs
    print(f"     {COUNT} systems: {ours:.1f} s, and {theirs:.1f} s by helm and kubectl")
    print(f"{'LATE' if late else 'ok  '} down takes {ours / theirs:.2f} of the script's time (promised {SHARE})")
    return int(late)
