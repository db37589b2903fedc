"""Environment entries of a public corpus that are secret now and were not: read by hand, and kept as data.

The corpus is no part of the project: it may lie beside the checkout.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.chart.conftest import Reader
from tycho.credentials import find_literals, names_secret, switches

CORPUS = Path(__file__).resolve().parents[2].parent / "shared" / "corpus"
BEFORE = (
    "*password", "*passwd", "*passphrase", "*_pass", "*_pwd", "*secret", "*secret_key*", "*_token", "token", "*api_key",
    "*apikey", "*access_key", "*private_key", "*encryption_key", "*credentials", "*_dsn",
)  # fmt: skip
"""The list as it was."""
JUDGED = {
    "UDEPLOY_PASSWORD:-s3cr3t": True,  # a mistaken spelling; what it means is a password
    "WORDPRESS_AUTH_KEY": True,
    "WORDPRESS_AUTH_SALT": True,
    "WORDPRESS_LOGGED_IN_KEY": True,
    "WORDPRESS_LOGGED_IN_SALT": True,
    "WORDPRESS_NONCE_KEY": True,
    "WORDPRESS_NONCE_SALT": True,
    "WORDPRESS_SECURE_AUTH_KEY": True,
    "WORDPRESS_SECURE_AUTH_SALT": True,
}
"""Each name, and whether it is that of a secret, as its program's documentation says."""
TAKEN_BACK = {"ALLOW_EMPTY_PASSWORD"}  # secret before, and only a switch


def test_names_become_secret_rightly() -> None:
    if not CORPUS.is_dir():
        pytest.skip("the public corpus is not beside this checkout")
    entries = dict.fromkeys(_entries())
    before = {name for name, _ in entries if names_secret(name, BEFORE)}
    after = {name for name, value in entries if _secret(name, value)}
    assert after - before == set(JUDGED)
    assert before - after == TAKEN_BACK
    wrong = [name for name, right in JUDGED.items() if not right]
    assert len(wrong) * 20 <= len(JUDGED)


def _secret(name: str, value: str) -> bool:
    return (names_secret(name) and not (value and switches(value))) or bool(find_literals(value))


def _entries() -> Iterator[tuple[str, str]]:
    """Name and value of every environment entry, of old documents without `services` too."""
    for path in sorted(CORPUS.rglob("*.y*ml")):
        for document in yaml.load_all(path.read_bytes(), Reader):
            if isinstance(document, dict):
                services = document.get("services") or document
                for service in services.values() if isinstance(services, dict) else ():
                    if isinstance(service, dict):
                        yield from _environment(service.get("environment"))


def _environment(environment: Any) -> Iterator[tuple[str, str]]:
    if isinstance(environment, dict):
        yield from ((str(name), "" if value is None else str(value)) for name, value in environment.items())
    for element in environment if isinstance(environment, list) else ():
        name, _, value = str(element).partition("=")
        yield name, value
