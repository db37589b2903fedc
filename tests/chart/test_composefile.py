"""The compose file that a chart carries: it compiles to that chart, Docker Compose reads it, and it tells no secret."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import Phase, given, settings

from tests.chart import drawn, planted
from tests.chart.conftest import Bench
from tests.chart.removing import Compiled
from tests.chart.test_laws import normalise
from tests.compose import oracle
from tycho.chart import COMPOSE_FILE, Chart, emit, release_values
from tycho.chart.composefile import conceal_entries
from tycho.chart.hidden import hide_credentials
from tycho.cli.yaml_output import dump
from tycho.compose import Sources, load
from tycho.errors import ComposeError, PolicyDenied
from tycho.model import PolicyResult
from tycho.policy import apply_policies

TESTS = Path(__file__).parents[1]
CORPUS = TESTS.parents[1] / "shared" / "corpus" / "kompose"
GOLDEN = sorted((TESTS / "golden").glob("*/compose.yaml"))
EXAMPLES = sorted((TESTS.parent / "examples").glob("*/*compose.yaml"))
CASES = sorted((TESTS / "cases").glob("*/compose.yaml"))
PUBLIC = [path for path in sorted(CORPUS.rglob("*")) if path.suffix in (".yaml", ".yml")]
ENV = {"TAG": "1", "MOTD": "hello", "TOKEN": "t0ken"}


def compiled(
    text: bytes, folder: Path, env: Mapping[str, str], *, policies: bool = True
) -> tuple[Compiled, dict[str, str]]:
    """What becomes of a text in a folder; and the environment in which the file of its chart is as good."""
    system = load(Sources.from_disk(["-"], env=env, name="demo", cwd=str(folder), stdin=text))
    policy_result = apply_policies(system) if policies else PolicyResult(system=system)
    hidden, concealed = hide_credentials(policy_result.system)
    _, variables = conceal_entries(hidden, concealed)
    secrets = {
        name: entry.value for name, entry in {**hidden.variables, **variables}.items() if entry.value is not None
    }
    return Compiled(emit(policy_result), release_values(policy_result.system, guid="0" * 32)), {**env, **secrets}


def carried(chart: Chart) -> str:
    return str(chart.files[COMPOSE_FILE])


def withheld(chart: Chart) -> bool:
    """Whether a service has an entry that is secret: it is written with a variable, and so is another value."""
    return any(row.target.startswith("a Secret of the release: ") for row in chart.report)


def judged(bench: Bench, text: bytes, folder: Path, env: Mapping[str, str], *, policies: bool = True) -> str:
    """Compile the file that a chart carries: it becomes that chart, or one that renders the same."""
    first, given = compiled(text, folder, env, policies=policies)
    second, _ = compiled(carried(first.chart).encode(), folder, given, policies=policies)
    assert carried(second.chart) == carried(first.chart)
    if withheld(first.chart):
        ours, theirs = (bench.render(compiled.chart, compiled.release) for compiled in (first, second))
        assert normalise(theirs) == normalise(ours)
    else:
        assert second.differs(first) == []
    return carried(first.chart)


@pytest.mark.parametrize("path", [*GOLDEN, *EXAMPLES], ids=lambda path: path.parent.name)
def test_it_compiles_to_its_chart(bench: Bench, path: Path) -> None:
    judged(bench, path.read_bytes(), path.parent, ENV)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.parent.name)
def test_so_does_that_of_every_case(bench: Bench, path: Path) -> None:
    text, granted = path.read_bytes(), "no-meaning" in path.parts or b"grants:" in path.read_bytes()
    try:
        compiled(text, path.parent, ENV, policies=not granted)
    except (ComposeError, PolicyDenied):
        pytest.skip("it is refused")
    judged(bench, text, path.parent, ENV, policies=not granted)


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the public corpus is not beside this checkout")
def test_so_does_that_of_public_files(bench: Bench) -> None:
    count = 0
    for path in PUBLIC:
        try:
            compiled(path.read_bytes(), path.parent, ENV)
        except (ComposeError, PolicyDenied, yaml.YAMLError):
            continue
        judged(bench, path.read_bytes(), path.parent, ENV)
        count += 1
    assert count > 40


@settings(max_examples=max(25, settings.default.max_examples // 4), phases=set(Phase) - {Phase.shrink})  # Helm is slow
@given(document=drawn.systems(), env=drawn.ENVIRONMENTS)
def test_so_does_that_of_a_drawn_system(bench: Bench, document: Any, env: dict[str, str]) -> None:
    for section in ("volumes", "configs", "secrets"):  # what no service uses is left out
        if not any(section in service for service in document["services"].values()):
            del document[section]
    judged(bench, dump(document).encode(), bench.folder, env)


@pytest.mark.parametrize("path", [*GOLDEN, *EXAMPLES], ids=lambda path: path.parent.name)
def test_docker_compose_reads_it(path: Path) -> None:
    """Where it reads the file itself: some keys are newer than it is."""
    first, given = compiled(path.read_bytes(), path.parent, ENV)
    try:
        oracle.theirs(path.parent, path.name, env=ENV)
    except oracle.Refused as error:
        pytest.skip(str(error))
    config = oracle.theirs(path.parent, "-", env=given, stdin=carried(first.chart))
    assert sorted(config["services"]) == sorted(yaml.safe_load(carried(first.chart))["services"])


def test_it_tells_no_secret(bench: Bench) -> None:
    made = emit(bench.policy_result(planted.FILES["compose.yaml"], planted.FILES, **planted.ENV))
    assert planted.planted(carried(made)) == []
    document = yaml.safe_load(carried(made))
    web = document["services"]["web"]
    assert {"build", "logging", "storage_opt", "develop", "x-mine"}.isdisjoint(web)
    assert web["environment"]["DATABASE"] == "postgres://app:${WEB_ENVIRONMENT_DATABASE:?}@db:5432/x"
    assert web["environment"]["API_TOKEN"] == "${UNSET-${WEB_ENVIRONMENT_API_TOKEN:?}}"  # noqa: S105
    assert web["environment"]["FROM_SHELL"] == "pre-${SHELL_4}"
    assert web["environment"]["SHELL_5"] is None
    assert web["env_file"] == [{"path": "app.env"}]
    assert document["secrets"] == {"file": {"file": "./secret.txt"}, "variable": {"environment": "SHELL_7"}}


def test_policies_say_theirs_again(bench: Bench, tmp_path: Path) -> None:
    """What they change in Compose's words is in the file; rights and lists of theirs are not, and it is the same."""
    (tmp_path / "50-mine.yaml").write_text(
        "description: Mine.\nmatch: {name: web}\nadd: {cap_add: [NET_ADMIN], x-tycho: {grants: [cap_add=NET_ADMIN]}}\n"
        "system: {patch: {x-tycho: {secretEnvironment: [MAGIC]}}}\n",
        encoding="utf-8",
    )
    text = "services: {web: {image: web, environment: {MAGIC: plain}, x-tycho: {headless: true}}}"
    for _ in range(2):
        made = emit(apply_policies(bench.system(text, WEB_ENVIRONMENT_MAGIC="plain"), folders=[tmp_path]))
        text = carried(made)
        assert yaml.safe_load(text) == {
            "name": "demo",
            "services": {"web": {
                "image": "web", "environment": {"MAGIC": "${WEB_ENVIRONMENT_MAGIC:?}"}, "cap_add": ["NET_ADMIN"],
                "security_opt": ["no-new-privileges=true"], "x-tycho": {"headless": True},
            }},
        }  # fmt: skip


WRITTEN = """
name: ${PROJECT:-demo}
services:
  web:
    image: "web:${TAG:-1}"
    build: {context: ., args: {TOKEN: "${TOKEN}"}}
    profiles: [debug]
    env_file: ["${STAGE:-dev}.env"]
    ports: ["${PORT:-8080}:80"]
    mem_limit: ${MEMORY:-64m}
    command: serve ${OPTIONS:-}
    logging: {driver: "${DRIVER:-json-file}"}
    volumes: ["data:/data", "./site:/site:ro"]
    secrets: [key]
    configs: [compose.yaml]
    links: [db]
    x-tycho: {secretEnvironment: [MAGIC]}
    x-other: {token: hunter2}
  db: {image: db, scale: 1}
secrets: {key: {file: "${HOME}/.ssh/id"}}
configs: {compose.yaml: {file: ./compose.txt}}
volumes: {data: {driver: "${DRIVER:-local}"}, unused: {}}
"""
CARRIED = """name: demo

services:
  web:
    image: "web:${TAG:-1}"
    command: "serve ${OPTIONS:-}"
    env_file: [{path: "${STAGE:-dev}.env"}]
    ports: [{target: 80, published: "${PORT:-8080}"}]
    links: [db]
    volumes:
      - {type: volume, source: data, target: /data}
      - {type: bind, source: "./site", target: /site, read_only: true}
    configs: [{source: compose.yaml}]
    secrets: [{source: key}]
    security_opt: ["no-new-privileges=true"]
    mem_limit: "${MEMORY:-64m}"
    x-tycho: {secretEnvironment: [MAGIC]}
  db: {image: db, scale: 1, security_opt: ["no-new-privileges=true"]}

volumes: {data: {driver: "${DRIVER:-local}"}}
configs: {compose.yaml: {file: "./compose.txt"}}
secrets: {key: {file: "${HOME}/.ssh/id"}}
"""


@pytest.mark.parametrize("env", [{}, {"TAG": "2", "TOKEN": "t", "STAGE": "live", "PORT": "80", "MEMORY": "1g",
                                      "OPTIONS": "-a -b", "DRIVER": "nfs"}], ids=["defaults", "set"])  # fmt: skip
def test_it_is_as_written(tmp_path: Path, env: dict[str, str]) -> None:
    """The same in every environment: merged and in full, with variables, without what a chart holds nothing of."""
    home = tmp_path / str(len(env))
    files = {
        "site/index.html": "hi",
        "compose.txt": "text",
        "dev.env": "A=1",
        "live.env": "A=2",
        "compose.yaml": WRITTEN,
    }
    for path, content in {**files, ".ssh/id": "key"}.items():
        (home / path).parent.mkdir(parents=True, exist_ok=True)
        (home / path).write_text(content, encoding="utf-8")
    sources = Sources.from_disk(
        [str(home / "compose.yaml")], env={"HOME": str(home), **env}, profiles=["debug"], cwd=str(home)
    )
    made = emit(apply_policies(load(sources)))
    assert carried(made) == CARRIED
    assert made.files["files/compose-yaml/compose.txt"] == b"text"
