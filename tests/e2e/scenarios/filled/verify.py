"""New volumes hold what the image has, binds begin with what lies there, and what a program wrote stays."""

from tests.e2e.system import System, eventually

SHOWS = ("volumes", "user")


def verify(system: System) -> None:
    (system.folder / "blob.bin").write_bytes(b"\0blob")
    system.up()
    assert system.sh("keeper", "id -u; cat /srv/data/first /srv/data/sub/second") == "472\nfrom the imagetoo"
    modes = "472 750\n472 640\n33 644"
    assert system.sh("keeper", "stat -c '%u %a' /srv/data /srv/data/first /srv/data/sub/second") == modes
    assert system.sh("keeper", "ls -A /srv/bare /cache") == "/cache:\n\n/srv/bare:"
    assert system.sh("keeper", "cat /conf/app.yaml /conf/sub/own.yaml /etc/app.ini") == "level: 1\nown: 1\nini: 1"
    assert system.sh("keeper", "wc -c < /srv/blob.bin; cat /site/index.html /site/pages/one.txt") == "5\nindex\npage"
    assert "Read-only" in system.sh("keeper", "touch /site/new 2>&1 || true")

    system.sh("keeper", "echo mine > /srv/data/mine; rm /srv/data/first; touch /cache/kept /site/state/kept")
    system.sh("keeper", "echo mine > /conf/sub/own.yaml; echo mine > /conf/new; echo mine > /etc/app.ini")
    system.sh("keeper", "echo more >> /srv/blob.bin")
    system.replace("keeper")
    assert system.sh("keeper", "ls /srv/data /cache /site/state") == (
        "/cache:\nkept\n\n/site/state:\nkept\n\n/srv/data:\nmine\nsub"
    )
    assert system.sh(
        "keeper", "cat /conf/app.yaml /conf/sub/own.yaml /conf/new /etc/app.ini; wc -c < /srv/blob.bin"
    ) == ("level: 1\nmine\nmine\nini: 1\n10")

    old = system.names("keeper")
    (system.folder / "conf/app.yaml").write_text("level: 2\n")
    (system.folder / "conf/sub/own.yaml").write_text("own: 2\n")
    (system.folder / "app.ini").write_text("ini: 2\n")
    system.up(env={"STEP": "2"})
    eventually(lambda: system.ready("keeper") and system.names("keeper") != old)
    assert system.sh("keeper", "cat /conf/app.yaml /conf/sub/own.yaml /conf/new /etc/app.ini") == (
        "level: 2\nmine\nmine\nini: 2"
    )
    assert system.sh("keeper", "ls /srv/data /cache; wc -c < /srv/blob.bin") == (
        "/cache:\nkept\n\n/srv/data:\nmine\nsub\n10"
    )
    system.tycho("rollback", system.guid)
    eventually(lambda: system.sh("keeper", "cat /conf/app.yaml; ls /cache") == "level: 1\nkept")
