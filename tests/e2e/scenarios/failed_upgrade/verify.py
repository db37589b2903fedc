"""An upgrade that fails leaves nothing of its own once it is fixed or undone; what ran goes on, and can restart."""

from tests.e2e.system import System

SHOWS = ("depends_on", "image")


def objects(system: System) -> set[str]:
    kinds = ("deployments", "services", "configmaps", "secrets", "networkpolicies", "serviceaccounts", "roles")
    return {f"{kind}/{resource['metadata']['name']}" for kind in kinds for resource in system.get(kind)}


def verify(system: System) -> None:
    system.up()
    before, pods = objects(system), {name: system.names(name) for name in ("app", "other")}
    assert system.sh("app", "cat /about; echo; echo $VERSION") == "1\n1"

    message = system.fails(env={"VERSION": "2", "IMAGE": "absent.invalid/nothing:1"})
    assert "app" in message
    assert "absent.invalid/nothing:1" in message or "image" in message
    assert set(pods["app"]) <= set(system.names("app"))  # the old one still serves
    assert set(pods["other"]) <= set(system.names("other"))
    system.kubectl("delete", "pod", *pods["other"])

    system.tycho("rollback", system.guid)
    assert system.sh("app", "cat /about; echo; echo $VERSION") == "1\n1"
    assert objects(system) == before
    system.replace("app")
    system.replace("other")
