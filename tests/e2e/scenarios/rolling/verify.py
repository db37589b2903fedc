"""An update that starts the new before it stops the old loses no request, under load, there and back."""

from tests.e2e.system import Load, System, eventually

SHOWS = ("deploy.update_config.order", "deploy.update_config.parallelism", "ports")
SECONDS = 100
ENOUGH = 2000


def verify(system: System) -> None:
    system.up()
    with Load(system.address("api", 8000)) as load:
        eventually(lambda: len(load.answers) > ENOUGH // 4)
        system.up(env={"VERSION": "2"})
        eventually(lambda: len(system.names("api")) == 2 and len(load.answers) > ENOUGH // 2)
        system.tycho("rollback", system.guid)
        eventually(lambda: len(load.answers) > ENOUGH and len(system.names("api")) == 2, 120)
        eventually(lambda: set(load.answers[-20:]) == {"1"})
    assert {"1", "2"} <= set(load.answers)
    assert load.failed == []
