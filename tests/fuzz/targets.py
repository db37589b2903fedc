"""What is fuzzed, and the law of each: input is accepted, or refused with Tycho's own error, and nothing else happens.

A target takes bytes. It raises whatever breaks the law: an exception that is no refusal, a message that could act on a
terminal, an answer of the service that is its own fault.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

from tycho.chart import emit
from tycho.compose import Sources, dotenv, interpolation, load
from tycho.errors import TychoError
from tycho.model import Project
from tycho.policy import apply_policies
from tycho.policy.run import PolicyRun
from tycho.policy.yaml_policy import load_yaml_policy

ENV = {"FOO": "first", "EMPTY": "", "DOLLAR": "$FOO", "N": "3", "API_TOKEN": "t0k3n"}
FILES = {"site/index.html": b"<p>", "app.env": b"A=1\nB=$A\n", "more.yaml": b"services: {more: {image: m}}\n"}
SYSTEM = {
    "services": {
        "web": {"image": "nginx:${TAG:-1}", "ports": ["80"], "environment": {"PASSWORD": "x"}, "cap_add": ["CHOWN"]},
        "db": {"image": "postgres", "volumes": ["data:/var/lib"]},
    },
    "volumes": {"data": {}},
}


def compile_document(text: bytes) -> None:
    """Compile a compose document, with variables and side files, as far as it goes."""
    sources = Sources.from_document(text, env=ENV, name="fuzz", files=FILES)
    with _refusals():
        emit(apply_policies(load(sources)))


def parse_env_file(text: bytes) -> None:
    """Read an env file in both formats; every name and value is text."""
    for raw in (False, True):
        with suppress(dotenv.MalformedEnvFile):
            entries = dotenv.parse(text, "fuzz.env", ENV, raw=raw)
            assert all(isinstance(name, str) and isinstance(value, str) for name, value in entries.items())


def expand_template(text: bytes) -> None:
    """Expand a template: it reads no variable that `names` does not list, and its pieces are its own."""
    template = text.decode("utf-8", "replace")
    env = _Recording(ENV)
    with suppress(interpolation.Invalid):
        interpolation.expand(template, env)
    assert env.names <= set(interpolation.names(template)), (template, env.names)
    with suppress(interpolation.Invalid):
        value = interpolation.value(template, ENV)
        assert ":".join(interpolation.split(value, ":")) == value


def apply_policy(text: bytes) -> None:
    """Read a policy in YAML, and apply it to a system."""
    with _refusals():
        policy_run = PolicyRun(_system(), {})
        policy_run.apply(load_yaml_policy(Path("50-fuzz.yaml"), text))


def answer_request(text: bytes) -> None:
    """Send a body to every route that takes one; a wrong one is the caller's fault, never the service's."""
    for verb in ("start", "status", "delete", "rollback", "history", "compile"):
        answer = _client().post(f"/system/{verb}", content=text, headers={"Content-Type": "application/json"})
        assert answer.status_code < 500, (verb, answer.text)
        assert answer.json()["status"] == ("success" if answer.status_code == 200 else "error")


TARGETS: dict[str, Callable[[bytes], None]] = {
    "loader": compile_document,
    "dotenv": parse_env_file,
    "interpolation": expand_template,
    "policies": apply_policy,
    "bodies": answer_request,
}


class _Recording(dict[str, str]):
    """An environment that remembers which names were read."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        super().__init__(variables)
        self.names: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.names.add(name)
        return super().get(name, default)

    def __contains__(self, name: object) -> bool:
        self.names.add(str(name))
        return super().__contains__(name)


@contextmanager
def _refusals() -> Iterator[None]:
    """Let Tycho's own refusals pass: they have an exit code of their own, and can be sent as JSON."""
    try:
        yield
    except TychoError as error:
        if error.exit_code == 1:
            raise AssertionError(f"{error!r} is no answer to input") from error
        json.dumps([error.message, error.hint, [str(problem) for problem in error.problems]])


@cache
def _system() -> Project:
    return load(Sources.from_document(SYSTEM, env=ENV, name="fuzz"))


@cache
def _client() -> Any:
    from starlette.testclient import TestClient

    from tests.api.conftest import memory
    from tycho.api import create_app

    return TestClient(create_app(memory()), base_url="http://127.0.0.1", raise_server_exceptions=True)


def seeds(name: str) -> Iterator[bytes]:
    """Well-formed inputs to begin from: the goldens, the refusals of the loader's tests, the shipped policies."""
    root = Path(__file__).parents[2]
    if name == "loader":
        yield from (path.read_bytes() for path in sorted(root.glob("tests/golden/*/compose.yaml")))
        yield from (path.read_bytes() for path in sorted(root.glob("tests/compose/cases/*.yaml")))
    elif name == "dotenv":
        yield from (b"A=1\nexport B='x y' # c\n", b'C="${A:-\\$d}"\nD: e\n', b"E\nF=$A$B\n")
    elif name == "interpolation":
        yield from (b"${A:-${B:?no}}$$ $FOO", b"a:${FOO}:b", b'{"a": "${N+1}"}', b"${FOO:-{}}")
    elif name == "policies":
        yield from (path.read_bytes() for path in sorted(root.glob("policies/*.yaml")))
    else:
        yield json.dumps({"name": "web", "system": SYSTEM, "env": {"TAG": "2"}, "services": {"web": {}}}).encode()
        yield b'{"name": "web", "username": "u", "revision": 1, "wait": false, "tycho-guid": ""}'
