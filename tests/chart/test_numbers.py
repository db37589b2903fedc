"""Numbers reach the cluster exactly, or are refused with their place and limits: when compiled, and in Helm."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
import yaml
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tycho.errors import ComposeError
from tycho.model.numbers import LARGEST

INT32 = 2**31 - 1
SIZES = f"is not between 0 and {LARGEST} bytes"
PORTS = "is not between 1 and 65535"
COUNTS = f"is not between 0 and {INT32}"
CORES = "is not between 0.001 and 1000000 processors"
DIGITS = "9" * 5000

REFUSED = [
    ("mem_limit", "17179869184g", "", SIZES),
    ("mem_limit", -1, "", SIZES),
    ("mem_limit", "9223372036854775808", "", SIZES),
    ("mem_limit", "${M:-17179869184g}", "", SIZES),
    ("mem_limit", "${M:-1e3}", "", "is not a size"),
    ("mem_reservation", "8388608t", "", SIZES),
    ("shm_size", "8191.9999999999999p", "", None),
    ("shm_size", "8192p", "", SIZES),
    ("tmpfs", ["/x:size=99999999999g"], "[0]", SIZES),
    ("volumes", [{"type": "tmpfs", "target": "/x", "tmpfs": {"size": "99999999999g"}}], "[0].tmpfs.size", SIZES),
    ("cpus", 0.0000001, "", CORES),
    ("cpus", "0.0009", "", CORES),
    ("cpus", 1000001, "", CORES),
    ("cpus", "${C:-0.0001}", "", CORES),
    ("cpus", "${C:-1e0}", "", "is not a number of processors"),
    ("scale", 3000000000, "", COUNTS),
    ("deploy", {"replicas": 3000000000}, ".replicas", COUNTS),
    ("deploy", {"replicas": "${N:-3000000000}"}, ".replicas", COUNTS),
    ("deploy", {"update_config": {"parallelism": 2**31}}, ".update_config.parallelism", COUNTS),
    ("deploy", {"update_config": {"delay": "600000h"}}, ".update_config.delay", "is not between 0 and 2147483047"),
    ("deploy", {"restart_policy": {"max_attempts": 2**31}}, ".restart_policy.max_attempts", COUNTS),
    ("restart", "on-failure:2147483648", "", COUNTS),
    ("restart", "on-failure:²", "", "is not a whole number"),
    ("healthcheck", {"test": "x", "retries": 2**31}, ".retries", COUNTS),
    ("healthcheck", {"test": "x", "retries": -1}, ".retries", COUNTS),
    ("healthcheck", {"test": "x", "interval": "600000h"}, ".interval", COUNTS),
    ("healthcheck", {"test": "x", "timeout": "600000h"}, ".timeout", COUNTS),
    ("stop_grace_period", "600000h", "", COUNTS),
    ("user", "2147483648", "", COUNTS),
    ("user", "1:5000000000", "", COUNTS),
    ("user", DIGITS, "", COUNTS),
    ("group_add", ["5000000000"], "[0]", COUNTS),
    ("ports", [{"target": 70000}], "[0].target", PORTS),
    ("ports", [{"target": 80, "published": "70000"}], "[0].published", "is not between 0 and 65535"),
    ("ports", [{"target": 80, "published": "${P:-70000}"}], "[0].published", PORTS),
    ("expose", ["70000"], "[0]", PORTS),
    ("expose", ["1-5000000000"], "[0]", PORTS),
    ("expose", ["²"], "[0]", "is not a whole number"),
    ("gpus", [{"count": 2**31}], "[0].count", COUNTS),
    ("x-tycho", {"ingress": {"port": 0}}, ".ingress.port", PORTS),
    ("configs", [{"source": "c", "mode": 0o10000}], "[0].mode", "is not a file mode between 0000 and 7777"),
    ("configs", [{"source": "c", "mode": -1}], "[0].mode", "is not a file mode between 0000 and 7777"),
]


def document(key: str, value: Any) -> str:
    service = {"image": "x", key: value}
    return yaml.safe_dump({"services": {"web": service}, "configs": {"c": {"content": "x"}}}, allow_unicode=True)


@pytest.mark.parametrize(("key", "value", "below", "message"), REFUSED)
def test_compile_names_place_and_limits(bench: Any, key: str, value: Any, below: str, message: str | None) -> None:
    if message is None:  # the largest that is still exact
        assert bench.chart(document(key, value))
        return
    with pytest.raises(ComposeError) as refused:
        bench.chart(document(key, value))
    (problem,) = refused.value.problems
    assert problem.path == f"services.web.{key}{below}"
    assert message in problem.message
    assert problem.line


@pytest.mark.parametrize(
    ("volume", "path"),
    [({"x-tycho": {"size": 0}}, "x-tycho.size"), ({"driver_opts": {"size": "8192p"}}, "driver_opts.size")],
)
def test_volumes_have_a_size(bench: Any, volume: Any, path: str) -> None:
    text = yaml.safe_dump({"services": {"web": {"image": "x", "volumes": ["v:/v"]}}, "volumes": {"v": volume}})
    with pytest.raises(ComposeError) as refused:
        bench.chart(text)
    assert [problem.path for problem in refused.value.problems] == [f"volumes.v.{path}"]


@pytest.mark.parametrize(
    "key",
    ["mem_limit", "cpus", "scale", "pids_limit", "stop_grace_period", "oom_score_adj", "cpu_shares", "shm_size"],
)
@pytest.mark.parametrize("text", [DIGITS, f"-{DIGITS}", f"{DIGITS}g", f"0.{DIGITS}", f"1e{DIGITS}", f"{DIGITS}s"])
def test_thousands_of_digits_are_read(bench: Any, key: str, text: str) -> None:
    """Python refuses to convert so many; nobody may see that."""
    messages = [refusals(bench, f"services: {{web: {{image: x, {key}: {value}}}}}") for value in (f'"{text}"', text)]
    assert "4300" not in str(messages)


def refusals(bench: Any, text: str) -> list[str]:
    try:
        bench.chart(text)
    except ComposeError as error:
        return [problem.message for problem in error.problems]
    return []


PLACES = ["ports: ['{}']", "ports: ['{}:80']", "ports: [{{target: {}}}]", "expose: ['{}']", "user: '{}'", "x-a: {}",
          "ulimits: {{nofile: {}}}", "restart: 'on-failure:{}'", "labels: {{a: {}}}", "umask: {}",
          "tmpfs: ['/x:size={}']", "group_add: ['{}']"]  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_digits_in_every_place(bench: Any, place: str) -> None:
    assert "4300" not in str(refusals(bench, f"services: {{web: {{image: x, {place.format(DIGITS)}}}}}"))


SETUID = """
services: {web: {image: x, configs: [{source: c, mode: 04755}]}}
configs: {c: {content: x}}
"""


def test_setuid_bits_are_reported(bench: Any) -> None:
    made = bench.chart(SETUID)
    (row,) = [row for row in made.report if row.path.endswith("configs[0].mode")]
    assert (row.outcome, row.target) == ("approximated", "mode 0755")
    assert bench.render(made).pod("rel-web")["volumes"][0]["configMap"]["defaultMode"] == 0o755


def test_a_long_delay_has_time(bench: Any) -> None:
    """The API server wants the deadline of a rollout to be later than the pods' time to settle."""
    text = "services: {web: {image: x, deploy: {update_config: {delay: 15m}}}}"
    spec = bench.objects(text).find("Deployment", "rel-web")["spec"]
    assert (spec["minReadySeconds"], spec["progressDeadlineSeconds"]) == (900, 1500)


def test_port_zero_is_any(bench: Any) -> None:
    service = bench.objects("services: {web: {image: x, ports: ['0:80']}}").find("Service", "rel-web-published")
    assert [port["port"] for port in service["spec"]["ports"]] == [80]


LIVE = """
services:
  web:
    image: x
    ports: ["${P:-80}:80"]
    deploy: {replicas: "${N:-1}", resources: {limits: {cpus: "${C:-1}", memory: "${M:-1g}"}}}
    volumes: ["vol:/v"]
volumes: {vol: {driver_opts: {size: "${S:-1g}"}}}
"""
IN_HELM = [
    ("N", "3000000000", "services.web.replicas: 3000000000 is not between 0 and 2147483647"),
    ("N", "-1", "services.web.replicas: -1 is not between 0 and 2147483647"),
    ("N", DIGITS, "services.web.replicas: "),
    ("N", "18446744073709551617", "is not between 0 and 2147483647"),
    ("P", "70000", "70000 is not between 1 and 65535"),
    ("C", "0.0009", f"services.web.resources.limits.cpu: 0.0009 {CORES}"),
    ("C", "1000000.1", CORES),
    ("C", "0.5m", CORES),
    ("C", DIGITS, CORES),
    ("M", "17179869184g", f"services.web.resources.limits.memory: 17179869184g {SIZES}"),
    ("M", "9223372036854775808", SIZES),
    ("M", "18446744073709551617", SIZES),
    ("M", "-1", SIZES),
    ("M", "8192p", SIZES),
    ("M", "1.1234567890123456g", "is not a size"),
    ("S", DIGITS, "persistence.vol.size"),
]


@pytest.mark.parametrize(("name", "value", "message"), IN_HELM)
def test_helm_names_place_and_limits(bench: Any, name: str, value: str, message: str) -> None:
    done = bench.run(bench.chart(LIVE), {"variables": {name: value}})
    assert done.returncode != 0
    assert message in done.stderr


UNITS = {"": 0, "b": 0, "k": 1, "kb": 1, "KiB": 1, "m": 2, "MB": 2, "g": 3, "GiB": 3, " t": 4, "p": 5}
AMOUNT = st.one_of(
    st.integers(0, 2**64).map(str),
    st.integers(0, 2**24).map(str),
    st.sampled_from([2**63 - 1, 2**63, 2**53, 2**53 - 1, 2**53 + 1, 2**43, 2**33, 2**13, 2**13 - 1]).map(str),
    st.builds("{}.{}".format, st.integers(0, 2**34), st.from_regex(r"[0-9]{1,15}", fullmatch=True)),
    st.builds("00{}".format, st.integers(0, 9000)),
)
QUANTITY = {"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30}


def quantity(text: str) -> int:
    unit = text[-2:] if text[-2:] in QUANTITY else ""
    return int(text.removesuffix(unit)) * QUANTITY.get(unit, 1)


@given(amounts=st.lists(st.tuples(AMOUNT, st.sampled_from(sorted(UNITS))), min_size=40, max_size=60, unique=True))
@settings(max_examples=max(4, settings.default.max_examples // 25), phases=set(Phase) - {Phase.shrink})
def test_sizes_are_exact(bench: Any, amounts: list[tuple[str, str]]) -> None:
    """Each size is rendered to the byte, written plainly and behind a variable, or it is out of range."""
    services: dict[str, Any] = {}
    expected: dict[str, int] = {}
    env: dict[str, str] = {}
    for index, (number, unit) in enumerate(amounts):
        value = int(Decimal(number) * 1024 ** UNITS[unit])
        for name, written in ((f"a{index}", number + unit), (f"b{index}", f"${{M{index}:-1g}}")):
            expected[name], services[name] = value, {"image": "x", "mem_limit": written}
        env[f"M{index}"] = number + unit
    fits = {name: value for name, value in expected.items() if value <= LARGEST}
    if len(fits) < len(expected):
        with pytest.raises(ComposeError) as refused:
            bench.chart(json.dumps({"services": services}), **env)
        assert {problem.path.split(".")[1] for problem in refused.value.problems} == expected.keys() - fits.keys()
    made = bench.chart(json.dumps({"services": {name: services[name] for name in fits}}), **env)
    known = {f"M{name[1:]}": env[f"M{name[1:]}"] for name in fits if name[0] == "b"}
    rendered = bench.render(made, {"variables": known})
    limits = {
        name: rendered.container(f"rel-{name}").get("resources", {}).get("limits", {}).get("memory", "0")
        for name in fits
    }
    assert {name: quantity(str(text)) for name, text in limits.items()} == fits
