"""`environment`, `env_file`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tycho.chart.chart import ReportTarget
from tycho.chart.container import Environment
from tycho.chart.expressions import to_argument
from tycho.chart.names import UNWRITABLE, UNWRITABLE_REASON, label
from tycho.chart.translate.key_rule import Rows, Table, rejected, translated, whole
from tycho.chart.translate.key_use import RELEASE, KeyUse, container, env_secret
from tycho.model import Service


def translate_environment(service: Service) -> Environment:
    """Translate the environment: what reads variables, and what is secret, stays out of the container's own text."""
    hidden = {*service.environment_secret, *service.environment_pass}
    values = {
        name: to_argument(value)
        for name, value in sorted(service.environment.items())
        if name not in hidden and value is not None
    }
    return Environment(
        values=values,
        secret=tuple(sorted(service.environment_secret)),
        passed=tuple(sorted(service.environment_pass)),
        from_file=bool(service.env_file),
    )


ENV_NAME = re.compile(r"[\x20-\x3c\x3e-\x7e]+")
PASSED = "if the variable is not set, the image's value is kept; Docker unsets it"
PERHAPS = "env, for variables that are set"
WORDS = "env (live); entries that are secret or read variables are in a Secret"


def find_env(use: KeyUse) -> Iterator[ReportTarget]:
    """Find the entries of the container, and the Secret of those that read variables or are secret."""
    env = use.container.env
    if env.values or env.secret:
        yield from container("env")(use)
    if env.secret or env.live:
        yield from env_secret()(use)


def find_env_file(use: KeyUse) -> Iterator[ReportTarget]:
    """Find the Secret of an `env_file`, and where the container names it."""
    yield from container("envFrom")(use)
    yield ReportTarget("Secret", f"{RELEASE}-{label(use.name)}-env-file")


def assess_environment(use: KeyUse) -> Rows:
    """Assess `environment`: any printable name will do."""
    if passed := sorted(use.service.environment_pass):
        env = use.container.env
        words = WORDS if env.values or env.secret else PERHAPS
        yield "", translated(words, find_env, but=f"{', '.join(passed)}: {PASSED}")
    elif not (use.container.env.values or use.container.env.secret):
        yield "", translated("nothing: no entry has a value")
    for name, value in use.value.items():
        if not ENV_NAME.fullmatch(name):
            yield f".{name}", rejected("its name is not printable ASCII", "rename it")
        elif isinstance(value, str) and UNWRITABLE.search(value):
            yield f".{name}", rejected(UNWRITABLE_REASON, "take it from a file")


def assess_env_file(use: KeyUse) -> Rows:
    """Assess `env_file`, naming those that lie elsewhere."""
    yield "", KEYS["env_file"]
    for index, file in enumerate(use.value):
        if file.outside:
            words = "a Secret of the release: the file lies outside the project, its content is in the release's values"
            yield f"[{index}]", translated(words, find_env_file)


KEYS: Table = {
    "environment": whole(translated(WORDS, find_env, assess=assess_environment)),
    "env_file": translated("a Secret of the release, with envFrom", find_env_file, assess=assess_env_file),
    "env_file[].path": translated("its contents are part of the release's values", find_env_file),
    "env_file[].required": translated("decided when the file is read"),
    "env_file[].format": translated("decided when the file is read"),
}
