"""nginx before two replicas of an API with a migration and PostgreSQL: used, upgraded and rolled back without loss."""

from tests.e2e.system import Load, System, eventually

SHOWS = ("configs.file", "depends_on", "deploy.update_config.order", "secrets")
SECONDS = 90


def verify(system: System) -> None:
    env = {"DB_PASSWORD": "p4ss $word"}
    system.up(env=env)
    for note in ("one", "two"):
        assert system.http("proxy", "/notes", "POST", note) == (200, "added")
    assert system.page("proxy", "/notes") == "one two"
    eventually(lambda: {system.page("proxy", "/host") for _ in range(10)} == set(system.names("api")))
    with Load(system.address("proxy"), path="/version") as load:
        system.up(env={**env, "VERSION": "2", "SCHEMA": "2"})
        eventually(lambda: load.answers[-20:] == ["2"] * 20)
    assert load.failed == []
    assert system.page("proxy", "/migrations") == "1 2"
    system.http("proxy", "/notes", "POST", "three")
    system.tycho("rollback", system.guid)
    eventually(lambda: system.page("proxy", "/version") == "1")
    assert system.page("proxy", "/notes") == "one three two"
    assert system.page("proxy", "/migrations") == "1 2"
    secrets = system.kubectl("get", "configmaps,deployments,jobs,pods", "-o", "yaml")
    assert "p4ss" not in secrets
