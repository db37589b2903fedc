"""A named volume is one for all its services, outlives pods, upgrades and rollbacks; `down` removes it, or keeps it."""

from tests.e2e.system import System, eventually

SHOWS = ("volumes",)


def verify(system: System) -> None:
    system.up()
    system.sh("writer", "mkdir -p /data/part && echo kept > /data/part/file && touch /anonymous/file")
    assert system.sh("reader", "cat /seen/part/file") == "kept"
    assert "Read-only" in system.sh("reader", "touch /seen/new 2>&1 || true")
    system.replace("writer")
    system.replace("reader")
    assert system.sh("reader", "cat /seen/part/file /part/file") == "kept\nkept"
    assert system.sh("writer", "ls /anonymous") == "file"
    old = system.names("writer")
    system.up(env={"STEP": "2"})
    eventually(lambda: system.ready("writer") and system.names("writer") != old)
    assert system.sh("writer", "cat /data/part/file; echo $STEP; ls /anonymous") == "kept\n2\nfile"
    system.tycho("rollback", system.guid)
    eventually(lambda: system.sh("writer", "cat /data/part/file; echo $STEP") == "kept\n1")

    space = system.space
    system.down("--keep-volumes")
    claims = system.node.kubectl("-n", space, "get", "persistentvolumeclaims", "-o", "name").split()
    assert len(claims) == 2  # the volume without a name, too
    system.node.kubectl("delete", "namespace", space)
