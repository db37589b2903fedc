"""What an earlier Tycho started and filled is upgraded by this one and rolled back again, and keeps all of its data."""

import subprocess
import tarfile
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import pytest

from tests.e2e.system import ROOT, System, eventually

SHOWS = ("volumes", "volumes.external")
SECONDS = 90
EARLIER = "5bc23fd"  # the program before new volumes were filled
SPACE = "earlier-claims"
CLAIM = """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: archive-of-years}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 8Mi}}}
"""
SQL = "PGPASSWORD=p4ss psql -qtA -h 127.0.0.1 -U app -c"
WRITE = {
    "db": f"{SQL} \"create table kept as values ('row')\"",
    "keeper": "echo row > /archive/kept",
    "writer": "echo row | tee /uploads/kept > /shared/kept",
    "named": "echo row > /queue/kept",
}
READ = {
    "db": f"{SQL} 'table kept'",
    "keeper": "cat /archive/kept",
    "writer": "cat /uploads/kept /shared/kept | uniq",
    "reader": "cat /shared/kept",
    "named": "cat /queue/kept",
}
FILES = {"compose.yaml": ("db", "keeper"), "alone.yaml": ("writer", "reader", "named")}


def verify(system: System) -> None:
    earlier = unpacked(system.folder.with_name("earlier-program"))
    system.node.kubectl("create", "namespace", SPACE)
    system.node.kubectl("-n", SPACE, "create", "-f", "-", data=CLAIM)
    together = system.beside("together", SPACE)
    with ThreadPoolExecutor() as pool:
        alone = pool.submit(keeps, system, earlier, "alone.yaml")
        keeps(together, earlier, "compose.yaml")
        alone.result()
    together.down()
    assert system.node.kubectl("-n", SPACE, "get", "persistentvolumeclaim", "archive-of-years", "-o", "name")
    system.node.kubectl("delete", "namespace", SPACE)


def unpacked(folder: Path) -> Path:
    """The earlier program, out of this repository's own history."""
    argv = ["git", "-c", f"safe.directory={ROOT}", "archive", EARLIER, "tycho", "chart_templates", "policies"]
    done = subprocess.run(argv, cwd=ROOT, check=False, capture_output=True, timeout=60)
    if done.returncode:
        pytest.skip(f"this checkout's history does not reach back to {EARLIER}: {done.stderr.decode().strip()[:100]}")
    with tarfile.open(fileobj=BytesIO(done.stdout)) as tree:
        tree.extractall(folder, filter="data")
    return folder


def keeps(system: System, earlier: Path, file: str) -> None:
    """Start and fill it with the earlier program, and go on with this one."""
    today, system.code = system.code, earlier
    system.up("-f", file, env=step(1))
    for service in FILES[file]:
        eventually(lambda service=service: system.ready(service))
        system.sh(service, WRITE.get(service, "true"))
    system.code = today
    guid = system.identity["guid"]
    system.up("-f", file, env=step(2))
    assert system.identity["guid"] == guid, "another instance was started beside it"
    read(system, file, 2)
    system.tycho("rollback", guid)
    read(system, file, 1)
    system.up("-f", file, env=step(3))
    read(system, file, 3)


def step(number: int) -> dict[str, str]:
    """Variables: each step makes all pods anew."""
    return {"STEP": str(number), "DB_PASSWORD": "p4ss"}


def read(system: System, file: str, number: int) -> None:
    """Read what was written, in the pods of a step."""
    for service in FILES[file]:
        eventually(lambda service=service: system.sh(service, "echo $STEP") == str(number) and system.ready(service))
        assert system.sh(service, READ[service]) == "row", f"{service} in step {number}"
