"""Messages say where, not what: no secret that a variable or a release holds is in an error, a warning or a log."""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

import pytest

from tycho.cli.trace import MaskedFormatter
from tycho.client import TychoClient
from tycho.compose import Sources, load
from tycho.errors import OrchestratorError, Problem, TychoError
from tycho.lifecycle import Lifecycle
from tycho.masking import Masker, masked, secret_values, secret_variables
from tycho.orchestrators import Target, WaitOptions
from tycho.orchestrators.helm.errors import parse_helm_error
from tycho.orchestrators.memory import MemoryOrchestrator

PLANTED = "pl4nted-Secr3t"
ENV = {"API_TOKEN": PLANTED, "PLAIN": f"x://u:{PLANTED}@h", "DB_PASSWORD": "postgres"}
WRONG: dict[str, dict[str, Any]] = {
    "a port": {"ports": ["${API_TOKEN}:80"]},
    "a port behind another variable": {"ports": ["${NONE:-${API_TOKEN}}:80"]},
    "an address": {"ports": [{"target": 80, "host_ip": "${API_TOKEN}"}]},
    "a range": {"ports": ["80-${API_TOKEN}:80"]},
    "a protocol": {"ports": ["80:80/${API_TOKEN}"]},
    "a size": {"mem_limit": "${API_TOKEN}"},
    "a number": {"cpus": "${API_TOKEN}"},
    "a whole number": {"scale": "${API_TOKEN}"},
    "a flag": {"privileged": "${API_TOKEN}"},
    "a flag in lower case": {"healthcheck": {"disable": "${API_TOKEN}"}},
    "a duration": {"stop_grace_period": "${API_TOKEN}"},
    "a mount": {"volumes": ["a:b:c:${API_TOKEN}"]},
    "a host": {"extra_hosts": ["${API_TOKEN}"]},
    "a device": {"devices": ["${API_TOKEN}:/a:b:c"]},
    "a network": {"network_mode": "service:${API_TOKEN}"},
    "a config": {"configs": ["${API_TOKEN}"]},
    "a secret": {"secrets": [{"source": "${API_TOKEN}"}]},
    "a command": {"command": 'x "${API_TOKEN}'},
    "a reason": {"image": "${NONE:?set ${API_TOKEN}}"},
    "a container's name": {"container_name": "${API_TOKEN}!"},
    "a restart": {"restart": "${API_TOKEN}"},
    "an env file": {"env_file": ["/nowhere/${API_TOKEN}"]},
    "a dependency": {"depends_on": {"web": {"condition": "${API_TOKEN}"}}},
    "a user": {"user": "${API_TOKEN}"},
    "a group": {"group_add": ["${API_TOKEN}"]},
    "a value that shows credentials": {"mem_limit": "${PLAIN}"},
    "what is written out": {"mem_limit": f"x://u:{PLANTED}@h"},
    "a platform": {"build": {"context": ".", "platforms": ["x"]}, "platform": "${API_TOKEN}"},
    "a gpu": {"gpus": [{"count": "${API_TOKEN}"}]},
    "a limit": {"ulimits": {"nofile": "${API_TOKEN}"}},
    "another kind": {"x-tycho": {"kind": "${API_TOKEN}"}},
}


def sources(service: dict[str, Any], env: dict[str, str] | None = None) -> Sources:
    return Sources.from_document({"name": "demo", "services": {"web": {"image": "x", **service}}}, env=env or ENV)


def lifecycle(*policies: Path) -> Lifecycle:
    target = Target()
    return Lifecycle(MemoryOrchestrator(target), target, policies=policies)


def whole_text(error: TychoError) -> str:
    return json.dumps([error.message, error.hint, str(error), repr(error.problems), repr(error.__cause__)])


def parts(text: str) -> list[str]:
    """Parts of the secret in a text, in any case."""
    return [PLANTED[at : at + 6] for at in range(len(PLANTED) - 5) if PLANTED[at : at + 6].lower() in text.lower()]


@pytest.mark.parametrize("what", WRONG)
def test_problems_quote_no_secret(what: str) -> None:
    with pytest.raises(TychoError) as caught:
        lifecycle().compile(sources(WRONG[what]))
    assert parts(whole_text(caught.value)) == []
    assert caught.value.problems


def test_problem_shows_its_variable() -> None:
    with pytest.raises(TychoError) as caught:
        load(sources({"ports": ["${API_TOKEN}:80"]}))
    assert '"${API_TOKEN}:80" is not a port' in caught.value.problems[0].message


def test_words_stay_readable() -> None:
    """A password that is a word of the file is no secret there: masked, it would hide the names of services."""
    with pytest.raises(TychoError) as caught:
        load(sources({"depends_on": ["postgres"], "environment": {"A": "${DB_PASSWORD}"}}))
    assert "postgres" in caught.value.problems[0].message


def test_warnings_quote_no_secret() -> None:
    service = {"tty": "${API_SECRET}", "environment": {"A": "${API_TOKEN}"}}
    system = load(sources(service, {**ENV, "API_SECRET": "yes"}))
    assert system.warnings
    assert parts(repr(system.warnings)) == []


@pytest.mark.parametrize("has", ["user", "environment.DB_PASSWORD", "labels.a"])
def test_denials_quote_no_secret(tmp_path: Path, has: str) -> None:
    policy = f"description: D.\nmatch: {{has: {has}}}\ndeny: 'never {{has}}'\n"
    (tmp_path / "50-deny.yaml").write_text(policy, encoding="utf-8")
    (tmp_path / "60-warn.yaml").write_text(policy.replace("deny", "warn"), encoding="utf-8")
    service = {"user": "${API_TOKEN}", "environment": {"DB_PASSWORD": PLANTED}, "labels": {"a": "${API_TOKEN}"}}
    with pytest.raises(TychoError) as caught:
        lifecycle(tmp_path).compile(sources(service))
    assert parts(whole_text(caught.value)) == []
    assert "never" in caught.value.problems[0].message


def test_python_policies_quote_no_secret(tmp_path: Path) -> None:
    text = '"""P."""\ndef apply(system):\n    raise ValueError(system.services["web"].environment["A"])\n'
    (tmp_path / "50-odd.py").write_text(text, encoding="utf-8")
    with pytest.raises(TychoError) as caught:
        lifecycle(tmp_path).compile(sources({"environment": {"A": "x-${API_TOKEN}"}}))
    assert parts(whole_text(caught.value)) == []


def test_failed_releases_quote_no_secret() -> None:
    """What helm or the API server says may repeat values; every one of the release's secrets is masked."""
    words = [PLANTED, "other-s3cret", "file-s3cret"]

    class Refusing(MemoryOrchestrator):
        async def run(self, *args: Any, **kwargs: Any) -> Any:
            raise OrchestratorError(f"denied: {words}", hint=" ".join(words), problems=[Problem("", 0, "", words[0])])

    target = Target()
    life = Lifecycle(Refusing(target), target)
    document = {
        "name": "demo",
        "services": {
            "web": {"image": "x", "environment": {"DB_PASSWORD": words[1], "A": "${API_TOKEN}"}, "secrets": ["s"]}
        },
        "secrets": {"s": {"environment": "S"}},
    }
    compiled = life.compile(Sources.from_document(document, env={"API_TOKEN": words[0], "S": words[2]}))
    with pytest.raises(OrchestratorError) as caught:
        asyncio.run(life.up(compiled, wait_options=WaitOptions()))
    assert [word for word in words if word in whole_text(caught.value)] == []
    assert "services.web.secretEnv.DB_PASSWORD" in caught.value.message


def test_helm_quotes_no_url() -> None:
    error = parse_helm_error('Error: Get "https://me:hunter2@host/": denied\x1b[31m', "push")
    assert "hunter2" not in whole_text(error)
    assert "\x1b" not in error.message + error.hint


def test_logs_say_no_secret() -> None:
    formatter = MaskedFormatter("%(name)s: %(message)s", secret_variables(ENV))
    record = logging.LogRecord("x", 10, "", 0, "sent %s to https://me:hunter2@h", (PLANTED,), None)
    assert formatter.format(record) == "x: sent ${API_TOKEN} to https://me:***@h"


def test_longest_secret_goes_first() -> None:
    masker = Masker({"secret": "${A}", "secret-and-more": "${B}"})
    assert masker.text("SECRET secret-and-more sec") == "${A} ${B} sec"


def test_short_and_plain_values_stay() -> None:
    assert secret_variables({"PIN": "123", "USE_TOKEN": "true", "TZ": "Europe/Berlin", "A_KEY": "abcd"}) == {
        "abcd": "${A_KEY}"
    }


def test_secrets_of_a_release() -> None:
    values = {
        "variables": {"TAG": "1.27.3", "DB_PASSWORD": "pass1"},
        "services": {"web": {"secretEnv": {"A": "b$$cd"}, "envFile": {"X_TOKEN": "tok1", "X": "plain"}}},
        "secrets": {"s": {"value": "aGlkZGVu"}},
    }
    assert set(secret_values(values)) == {"pass1", "b$cd", "tok1", "aGlkZGVu", "hidden"}
    assert "pass1" not in secret_values(values, known=["image: pass1"])


def test_other_errors_pass() -> None:
    with pytest.raises(ValueError, match="abcd"), masked({"abcd": "${A}"}):
        raise ValueError("abcd")


def test_values_hide_from_repr(tmp_path: Path) -> None:
    (tmp_path / "x.env").write_text(f"K={PLANTED}\n", encoding="utf-8")
    (tmp_path / "compose.yaml").write_text(
        f"services: {{web: {{image: x, environment: {{A: {PLANTED}}}, env_file: x.env}}}}", encoding="utf-8"
    )
    system = load(Sources.from_disk([str(tmp_path / "compose.yaml")], env={}))
    assert parts(repr(system)) == []


@pytest.mark.parametrize(
    "url", ["http://me:hunter2@127.0.0.1:9", "ftp://me:hunter2@h", "http://me:hunter2@[::1", "me:hunter2@h"]
)
def test_client_shows_no_password(url: str) -> None:
    with pytest.raises(TychoError) as caught:
        TychoClient(url, timeout=5).status()
    assert "hunter2" not in json.dumps([caught.value.message, caught.value.hint])


def test_parts_of_what_is_read_later_are_hidden() -> None:
    """A loader knows where secrets are read only after it has begun."""
    readers: dict[str, list[str]] = {}
    masker = Masker({}, readers)
    readers["services.web.ports"] = [PLANTED]
    place, message = "services.web.ports[0]", f'"{PLANTED[:8]}" is not a port'
    masked_problem = masker.problem(Problem(file="compose.yaml", line=1, path=place, message=message))
    assert PLANTED[:8] not in masked_problem.message
    assert "is not a port" in masked_problem.message
