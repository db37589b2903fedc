"""All that is wrong with a file is said at once: by the loader, by policies, by the compiler; warnings beside it."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tycho import orchestrators
from tycho.compose import Sources
from tycho.errors import ComposeError, PolicyDenied, TychoError
from tycho.lifecycle import Lifecycle
from tycho.orchestrators import Target


def refused(text: str) -> TychoError:
    target = Target(kubeconfig=str(uuid4()))
    lifecycle = Lifecycle(orchestrators.get("memory", target), target)
    with pytest.raises(TychoError) as caught:
        lifecycle.compile(Sources.from_document(text, env={}, name="demo"))
    return caught.value


def test_what_policies_refuse_hides_nothing() -> None:
    error = refused("services: {web: {image: 'x:${UNSET}', privileged: true, devices: [/dev/snd], user: www-data}}")
    assert isinstance(error, PolicyDenied)
    assert sorted(problem.path for problem in error.problems) == [
        "services.web.devices", "services.web.privileged", "services.web.user",
    ]  # fmt: skip
    assert ["UNSET" in warning.message for warning in error.warnings] == [True]


@pytest.mark.parametrize("key", ["foo: 1", "user: www-data", "depends_on: [nobody]", "privileged: true"])
def test_warnings_stand_beside_errors(key: str) -> None:
    error = refused(f"services: {{web: {{image: 'x:${{UNSET}}', {key}}}}}")
    assert error.problems
    assert ["UNSET" in warning.message for warning in error.warnings] == [True]


def test_a_warning_tells_no_secret() -> None:
    error = refused("services: {web: {image: x, user: www-data, command: 'a ${API_TOKEN} ${UNSET}'}}")
    assert len(error.warnings) == 2


@pytest.mark.parametrize(
    ("services", "path", "other"),
    [
        (
            "app: {image: x, ports: ['80:80']}, app-published: {image: y, ports: ['81:81']}",
            "services.app-published",
            "the published ports of services.app",
        ),
        (
            "app: {image: x, environment: {A: '${B:-1}'}, secrets: [app-env]}",
            "secrets.app-env",
            "the environment of services.app",
        ),
    ],
)
def test_two_parts_with_one_object_are_both_named(services: str, path: str, other: str) -> None:
    error = refused(f"services: {{{services}}}\nsecrets: {{app-env: {{environment: HOME}}}}\n")
    assert isinstance(error, ComposeError)
    (problem,) = error.problems
    assert set(problem.message.partition(" would")[0].split(" and ")) == {"this", other}
    assert (problem.path, problem.line > 0) == (path, True)
