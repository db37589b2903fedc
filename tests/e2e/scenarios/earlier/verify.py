"""What an earlier Tycho started and filled is upgraded by this one and rolled back again, and keeps all of its data."""

import json
import subprocess
import tarfile
import tomllib
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import pytest

from tests.e2e.system import ROOT, Json, System, eventually

SHOWS = ("volumes", "volumes.external")
SECONDS = 90
EARLIER = "5bc23fd"  # the program before new volumes were filled
PROGRAM = ("tycho", "chart_templates", "policies", "pyproject.toml")
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
FILES = {
    "compose.yaml": ("db", "keeper"),
    "alone.yaml": ("writer", "reader", "named"),
    "ordered.yaml": ("base", "api", "beside"),
}
HOMES = {"beside": "api"}  # services in the pod of another
SAYS = {"compose.yaml": "db", "alone.yaml": "writer", "ordered.yaml": "migrate"}


def verify(system: System) -> None:
    earlier = unpacked(system.folder.with_name("earlier-program"))
    system.node.kubectl("create", "namespace", SPACE)
    system.node.kubectl("-n", SPACE, "create", "-f", "-", stdin=CLAIM)
    together, ordered = system.beside("together", SPACE), system.beside("ordered")
    with ThreadPoolExecutor() as pool:
        others = [
            pool.submit(keeps, system, earlier, "alone.yaml"), pool.submit(keeps, ordered, earlier, "ordered.yaml")
        ]  # fmt: skip
        keeps(together, earlier, "compose.yaml")
        for other in others:
            other.result()
    together.down()
    ordered.down()
    assert system.node.kubectl("-n", SPACE, "get", "persistentvolumeclaim", "archive-of-years", "-o", "name")
    system.node.kubectl("delete", "namespace", SPACE)


def unpacked(folder: Path) -> Path:
    """The earlier program, out of this repository's own history."""
    argv = ["git", "-c", f"safe.directory={ROOT}", "archive", EARLIER, *PROGRAM]
    done = subprocess.run(argv, cwd=ROOT, check=False, capture_output=True, timeout=60)
    if done.returncode:
        pytest.skip(f"this checkout's history does not reach back to {EARLIER}: {done.stderr.decode().strip()[:100]}")
    with tarfile.open(fileobj=BytesIO(done.stdout)) as tree:
        tree.extractall(folder, filter="data")
    # It finds its back ends as it was installed: by entry points of its own.
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    metadata = folder / "tycho-0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: tycho\nVersion: 0\n")
    lines = [
        line
        for group, points in project["entry-points"].items()
        for line in (f"[{group}]", *(f"{name} = {place}" for name, place in points.items()))
    ]
    (metadata / "entry_points.txt").write_text("\n".join(lines) + "\n")
    return folder


def keeps(system: System, earlier: Path, file: str) -> None:
    """Start and fill it with the earlier program, and go on with this one."""
    today, system.code = system.code, earlier
    identity = system.up("-f", file, env=step(1))["identity"]  # where that program has it
    system.release = {**system.release, **identity, "sid": identity["guid"]}
    for service in FILES[file]:
        eventually(lambda service=service: system.ready(HOMES.get(service, service)))
        run(system, service, WRITE.get(service, "true"))
    system.code = today
    guid = system.guid
    look(system, file)
    system.up("-f", file, env=step(2))
    assert system.guid == guid, "another instance was started beside it"
    read(system, file, 2)
    look(system, file)
    system.tycho("rollback", guid)
    read(system, file, 1)
    look(system, file)
    system.up("-f", file, env=step(3))
    read(system, file, 3)


def look(system: System, file: str) -> None:
    """Ask this program how the release is, whoever made its revision, and what its services print."""
    guid = system.guid
    eventually(lambda: all(service["done"] for service in services(system)))
    assert {service["name"] for service in services(system)} >= {*FILES[file]} - HOMES.keys()
    log = system.tycho("logs", guid, SAYS[file])
    assert "migrated in step" in log or file != "ordered.yaml"


def services(system: System) -> list[Json]:
    """The services as `tycho status` shows them."""
    [release] = json.loads(system.tycho("status", system.guid, "-o", "json"))
    listed: list[Json] = release["services"]
    return listed


def step(number: int) -> dict[str, str]:
    """Variables: each step makes all pods anew."""
    return {"STEP": str(number), "DB_PASSWORD": "p4ss"}


def read(system: System, file: str, number: int) -> None:
    """Read what was written, in the pods of a step."""
    for service in FILES[file]:
        eventually(lambda service=service: is_of(system, service, number))
        assert run(system, service, READ.get(service, "echo row")) == "row", f"{service} in step {number}"


def is_of(system: System, service: str, number: int) -> bool:
    """Tell whether the pods of a service are those of a step, and ready."""
    return run(system, service, "echo $STEP") == str(number) and system.ready(HOMES.get(service, service))


def run(system: System, service: str, script: str) -> str:
    """Run a script in the container of a service."""
    return system.sh(HOMES.get(service, service), script, container=service)
