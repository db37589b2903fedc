"""Configs, secrets and mounted trees have their contents, targets and modes; what changes rolls its readers alone."""

import hashlib

from tests.e2e.system import System, eventually

SHOWS = (
    "configs",
    "configs.content",
    "configs.file",
    "configs[].mode",
    "configs[].source",
    "configs[].target",
    "secrets",
    "secrets.environment",
    "secrets.file",
    "secrets[].mode",
    "secrets[].source",
    "secrets[].target",
    "volumes",
)


def mode(system: System, path: str) -> str:
    return system.sh("app", f"stat -L -c %a {path}")


def verify(system: System) -> None:
    blob = bytes(range(256)) * 5
    (system.folder / "blob").write_bytes(blob)
    env = {"TOKEN": "t0k$n 'x'\n"}
    system.up(env=env)
    assert system.sh("app", "cat /short") == "short = 1"
    assert system.sh("app", "cat /etc/app/inline.conf") == "greeting=hello\nprice=$5"
    assert mode(system, "/etc/app/inline.conf") == "440"
    assert system.sh("app", "sha256sum < /etc/app/blob").split()[0] == hashlib.sha256(blob).hexdigest()
    assert system.sh("app", "cat /run/secrets/password") == "pass word$"
    assert system.sh("app", "cat /run/secrets/renamed; echo .") == env["TOKEN"] + "."
    assert mode(system, "/run/secrets/renamed") == "400"
    assert system.sh("app", "cat /etc/app/token; echo .") == env["TOKEN"] + "."
    assert system.sh("app", "cat /srv/tree/one.txt /srv/tree/deep/er/two.txt; /srv/tree/run.sh") == (
        "one {{ . }}\ntwo\nran"
    )
    assert "Read-only" in system.sh("app", "touch /srv/tree/new 2>&1 || true")

    pods = {service: system.names(service) for service in ("app", "other")}
    system.up(env={**env, "GREETING": "good day"})
    eventually(lambda: len(system.names("app")) == 1 and system.names("app") != pods["app"])
    assert system.sh("app", "head -1 /etc/app/inline.conf") == "greeting=good day"
    assert system.names("other") == pods["other"]
    pods["app"] = system.names("app")
    (system.folder / "password").write_text("changed")
    system.up(env={**env, "GREETING": "good day"})
    eventually(lambda: len(system.names("app")) == 1 and system.names("app") != pods["app"])
    assert system.sh("app", "cat /run/secrets/password") == "changed"
    assert system.names("other") == pods["other"]
    (system.folder / "short.conf").write_text("short = 2\n")
    system.up(env={**env, "GREETING": "good day"})
    eventually(lambda: system.ready("other") and system.names("other") != pods["other"])
    eventually(lambda: system.sh("other", "cat /short") == "short = 2")
