"""What counts as a credential, what does not, and how text is made safe to show."""

from __future__ import annotations

import pytest
import yaml

from tycho import data_folders
from tycho.credentials import (
    SECRET_NAMES,
    find_credentials,
    find_literals,
    holds_credentials,
    mask_credentials,
    names_secret,
    switches,
)
from tycho.text import printable, safe_message

KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1r\n-----END OPENSSH PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("postgres://app:hunter2@db/x", "postgres://app:***@db/x"),
        ("amqp://:pw@mq", "amqp://:***@mq"),
        ("a://u:p@x b://v:q@y", "a://u:***@x b://v:***@y"),
        ("postgres://u:${PW:-hunter2}@db", "postgres://u:***@db"),
        ("Server=db;User Id=sa;Password=Pw1;", "Server=db;User Id=sa;Password=***;"),
        ("--requirepass x --password=foo", "--requirepass x --password=***"),
        ("ghp_" + "a" * 36, "***"),
        ("x AKIAIOSFODNN7EXAMPLE y", "x *** y"),
        (f"before {KEY} after", "before *** after"),
    ],
)
def test_mask_credentials(text: str, masked: str) -> None:
    assert mask_credentials(text) == masked


@pytest.mark.parametrize("text", ["xoxb-" + "a" * 10, "pwd=x", "://:p@"])
def test_nothing_is_too_short_to_be_found(text: str) -> None:
    assert find_credentials(text)


@pytest.mark.parametrize(
    "text",
    [
        "postgres://db/x",
        "http://host:8080/path@2",
        "postgres://u:${PW}@db",
        "postgres://u:$PW@db",
        "mysqladmin ping --password=$$MYSQL_ROOT_PASSWORD",
        "redis://:***@cache",
        "nginx:1.27",
        "user@host:path",
        "sk-",
        "token",
    ],
)
def test_find_credentials_leaves_alone(text: str) -> None:
    assert find_credentials(text) == []


def test_holds_credentials() -> None:
    assert holds_credentials(KEY.encode())
    assert holds_credentials(b"[default]\naws_secret_access_key = abc\n")
    assert not holds_credentials(b"const password=input.value\n")
    assert not holds_credentials(b"\x00\xff\xfe")


@pytest.mark.parametrize(
    "text", ["a" * 10**6, "://" * 10**5, "eyJ" * 10**5, "-----BEGIN PRIVATE KEY-----" * 10**5, "token=" * 10**5]
)
def test_find_credentials_is_linear(text: str) -> None:
    find_credentials(text)  # quadratic work would not end in the time of a test run


def test_printable() -> None:
    assert printable("a\tb\nc") == "a\tb\nc"
    assert printable("\x1b[31m\x7f\u202e\ud800") == "\\x1b[31m\\x7f\\u202e\\ud800"
    assert safe_message("\x1bhttp://u:p@h") == "\\x1bhttp://u:***@h"


@pytest.mark.parametrize(
    "name",
    [
        "PASS", "DB_PASS", "dbpass", "MYSQL_ROOT_PASSWORD", "PasswordHash", "JWT", "JWT_PRIVATE", "APP_KEY",
        "SECRET_KEY_BASE", "SIGNING_KEY", "ENCRYPTION_KEY", "SALT", "PASSWORD_SALT", "PIN", "CARD_PIN",
        "COOKIE_SECRET", "WEBHOOK_URL", "SLACK_WEBHOOK_URL", "REDIS_AUTH", "NEO4J_AUTH", "DSN", "SENTRY_DSN",
        "GOOGLE_CREDENTIALS", "PRIVATE_KEY_PEM", "LICENSE_KEY", "SMTP_PW", "MYSQL_PWD", "GITHUB_TOKEN",
        "AWS_SECRET_ACCESS_KEY", "RABBITMQ_ERLANG_COOKIE", "WIFI_PSK", "MNEMONIC",
    ],
)  # fmt: skip
def test_names_of_secrets(name: str) -> None:
    assert names_secret(name)


@pytest.mark.parametrize(
    "name",
    [
        "PWD", "OLDPWD", "PROXY_BYPASS", "SORT_KEY", "PARTITION_KEY", "AWS_ACCESS_KEY_ID", "SSH_PUBLIC_KEY",
        "PUBLIC_KEY", "TOKEN_TTL", "JWT_EXPIRES_IN", "JWT_ALGORITHM", "JWT_ISSUER", "DB_PASSWORD_FILE",
        "SECRETS_DIR", "PASSWORD_MIN_LENGTH", "MYSQL_ALLOW_EMPTY_PASSWORD", "MYSQL_RANDOM_ROOT_PASSWORD",
        "PASSWORD_RESET_URL", "TOKEN_URL", "WEBHOOK_PORT", "WEBHOOK_HOST", "SECRET_NAME", "DB_USER", "TZ",
        "KEYCLOAK_REALM", "MONKEY", "AUTHOR", "PINNED", "RECAPTCHA_SITE_KEY",
    ],
)  # fmt: skip
def test_names_of_none(name: str) -> None:
    assert not names_secret(name)


def test_later_globs_win() -> None:
    assert not names_secret("DB_PASSWORD", ["*password", "!DB_*"])
    assert names_secret("db_password", ["!db_*", "*PASSWORD"])
    assert not names_secret("x", [])


def test_shipped_list_is_the_same() -> None:
    """Messages mask by the list that the shipped policy gives to charts."""
    policy = yaml.safe_load((data_folders.policies() / "20-secret-environment.yaml").read_text(encoding="utf-8"))
    assert tuple(policy["system"]["default"]["x-tycho"]["secretEnvironment"]) == SECRET_NAMES


def test_switches() -> None:
    assert switches("True")
    assert switches("none")
    assert not switches("truth")


@pytest.mark.parametrize(
    ("text", "literals"),
    [
        ("x://u:pw@h", ["pw"]),
        ("x://u:${PW}@h", []),
        ("x://u:${PW:-d}@h", ["d"]),
        ("x://u:${PW:-a@b}@h", ["a@b"]),
        ("x://u:${A}-${B}@h", []),
        ("x://u:a${B}c$$d@h", ["a", "c$$d"]),
        ("${U:-x://u:pw@${H:-h}}", ["pw"]),
        ("password=${A:-{b}}", ["{b}"]),
        ("plain", []),
    ],
)
def test_find_literals(text: str, literals: list[str]) -> None:
    assert [text[start:end] for start, end in find_literals(text)] == literals


def test_find_literals_whole() -> None:
    assert find_literals("a${B}c", whole=True) == [(0, 1), (5, 6)]
    assert find_literals("${B}", whole=True) == []


@pytest.mark.parametrize("text", ["x://u:${A:-b}@h " * 10**4, "${A:-" * 10**4 + "x://u:pw@h", "password={" * 10**4])
def test_find_literals_is_bounded(text: str) -> None:
    """Counted in comparisons, not in seconds: what would take more is secret as a whole."""
    spans = find_literals(text)
    assert all(start < end for start, end in spans)
