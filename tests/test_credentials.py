"""What counts as a credential, what does not, and how text is made safe to show."""

from __future__ import annotations

import pytest

from tycho.credentials import find_credentials, holds_credentials, mask_credentials
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
def test_mask_credentials(text: str, masked: str):
    assert mask_credentials(text) == masked


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
def test_find_credentials_leaves_alone(text: str):
    assert find_credentials(text) == []


def test_holds_credentials():
    assert holds_credentials(KEY.encode())
    assert holds_credentials(b"[default]\naws_secret_access_key = abc\n")
    assert not holds_credentials(b"const password=input.value\n")
    assert not holds_credentials(b"\x00\xff\xfe")


@pytest.mark.parametrize(
    "text", ["a" * 10**6, "://" * 10**5, "eyJ" * 10**5, "-----BEGIN PRIVATE KEY-----" * 10**5, "token=" * 10**5]
)
def test_find_credentials_is_linear(text: str):
    find_credentials(text)  # quadratic work would not end in the time of a test run


def test_printable():
    assert printable("a\tb\nc") == "a\tb\nc"
    assert printable("\x1b[31m\x7f\u202e\ud800") == "\\x1b[31m\\x7f\\u202e\\ud800"
    assert safe_message("\x1bhttp://u:p@h") == "\\x1bhttp://u:***@h"
