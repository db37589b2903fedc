"""Secrets in every kind of place that a project has: each is another text, found again by looking for it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

COUNT = 120
SECRETS = [f"plnt{index:03d}s3cr3tV4lue{index * 7919 % 9973:04d}" for index in range(COUNT)]
ENV = {f"SHELL_{index}": SECRETS[index] for index in range(10)}
"""Variables of the caller: 0 to 3 are read where Kubernetes keeps no secret, the others in environments and secrets."""

_NUMBERS = iter(range(10, COUNT))


def _next() -> str:
    return SECRETS[next(_NUMBERS)]


def _url() -> str:
    return f"postgres://app:{_next()}@db:5432/x"


KEY = ("-----BEGIN RSA PRIVATE KEY-----", _next(), "-----END RSA PRIVATE KEY-----")
NAMES = (
    "PASS",
    "JWT",
    "APP_KEY",
    "SALT",
    "DB_PASSWORD",
    "SECRET_KEY_BASE",
    "SIGNING_KEY",
    "WEBHOOK_URL",
    "PIN",
    "MY_DSN",
)
PLACES: dict[str, list[str]] = {}


def _kind(kind: str, *texts: str) -> str:
    """Text of a kind of place; its secrets are kept for the test to look for."""
    result = [secret for secret in SECRETS for text in texts if secret in text]
    PLACES.setdefault(kind, []).extend(result)
    return texts[0]


def _many(kind: str, texts: list[str]) -> list[str]:
    return [_kind(kind, text) for text in texts]


def _service() -> dict[str, Any]:
    return {
        "image": "registry.example/web:1",
        "build": {"context": ".", "args": {"TOKEN": _kind("build args", _next()), "URL": _kind("build args", _url())}},
        "environment": {
            **{name: _kind("environment, by name", _next()) for name in NAMES},
            "DATABASE": _kind("environment, by content", _url()),
            "BROKER": _kind("environment, by content", f"amqp://:{_next()}@mq"),
            "ODBC": _kind("environment, by content", f"Server=db;Password={_next()};"),
            "PEM": _kind("environment, by content", "\n".join((KEY[0], _next(), KEY[2]))),
            "CLOUD": _kind("tokens, by their shapes", f"ghp_{_next().ljust(36, 'x')}"),
            "SPEECH": _kind("tokens, by their shapes", f"sk-proj-{_next()}"),
            "PAIRED": _kind("tokens, by their shapes", f"xoxb-{_next()}"),
            "ACCOUNT": _kind("tokens, by their shapes", f"AccountKey={_next().ljust(44, 'A')}=="),
            "DEFAULT": _kind("defaults", f"postgres://app:${{UNSET:-{_next()}}}@db"),
            "NESTED": _kind("defaults", f"${{UNSET:-redis://:{_next()}@c}}"),
            "API_TOKEN": _kind("defaults", f"${{UNSET-{_next()}}}"),
            "FROM_SHELL": "pre-${SHELL_4}",
            "SHELL_5": None,
        },
        "env_file": ["app.env"],
        "label_file": ["app.labels"],
        "entrypoint": f"serve --db {_kind('command lines', _url())} --secret-key {_kind('command lines', _next())}",
        "command": [
            _kind("words", _url()), "--password", _kind("words after a flag", _next()),
            f"--token={_kind('words', _next())}", "--api-key", _kind("words after a flag", _next()),
            f"${{UNSET:-https://u:{_kind('defaults', _next())}@h}}",
        ],
        "working_dir": f"/srv/token={_kind('folders', _next())}",
        "healthcheck": {"test": f"mysqladmin ping --password {_kind('health checks', _next())} && curl"
                                f" https://u:{_kind('health checks', _next())}@localhost"},
        "labels": {
            "note": _kind("labels", _url()), "com.example.password": _kind("labels, by name", _next()),
            "x.api_key": _kind("labels, by name", _next()),
        },
        "annotations": {"a/token": _kind("annotations", _next()), "b": _kind("annotations", _url())},
        "deploy": {"labels": {"hook": _kind("labels of the workload", _url()),
                              "auth-token/secret": _kind("labels of the workload", _next())}},
        "sysctls": {"net.ipv4.tcp_rmem": _kind("sysctls", f"token={_next()}")},
        "post_start": [{"command": ["curl", _kind("hooks", _url())]}],
        "pre_stop": [{"command": ["bye", "--password", _kind("hooks", _next())]}],
        "pre_start": [{"command": ["init", _kind("hooks", _url())],
                       "environment": {"HOOK_TOKEN": _kind("environments of hooks", _next()),
                                       "HOOK_URL": _kind("environments of hooks", _url())}}],
        "logging": {"driver": "splunk", "options": {"splunk-token": _kind("logging", _next())}},
        "storage_opt": {"password": _kind("options of a node", _next())},
        "develop": {"watch": [{"path": ".", "action": "rebuild", "ignore": [_kind("develop", _url())]}]},
        "x-mine": {"password": _kind("extensions", _next()), "url": _kind("extensions", _url())},
        "secrets": ["file", "variable"],
        "configs": ["url", "key", "pair"],
        "volumes": ["share:/share", "nfs:/nfs"],
        "networks": {"front": {"driver_opts": {"com.example.token": _kind("options of networks", _next())}}},
    }  # fmt: skip


DOCUMENT: dict[str, Any] = {
    "name": "planted",
    "x-anything": [_kind("extensions", _url())],
    "services": {
        "web": _service(),
        "plain": {"image": "registry.example/plain:1", "networks": ["front"],
                  "environment": [f"LIST_PASSWORD={_kind('lists of environment', _next())}",
                                  f"LIST_URL={_kind('lists of environment', _url())}"],
                  "labels": [f"list.token={_kind('lists of labels', _next())}"]},
    },
    "jobs": {"backup": {"image": "registry.example/backup:1", "triggers": {"manual": True}, "networks": ["front"],
                        "command": ["dump", _kind("jobs", _url())],
                        "environment": {"BACKUP_KEY": _kind("jobs", _next()), "SHELL_6": None}}},
    "secrets": {"file": {"file": "./secret.txt"}, "variable": {"environment": "SHELL_7"}},
    "configs": {
        "url": {"content": _kind("configs", f"url = {_url()}\n")},
        "key": {"content": _kind("configs", "\n".join(("a", *KEY, "b")))},
        "pair": {"content": _kind("configs", f"password={_next()}\ntoken={_next()}\n")},
    },
    "volumes": {
        "share": {"driver_opts": {"type": "cifs", "device": "//nas/x",
                                  "o": f"username=me,password={_kind('options of volumes', _next())}"},
                  "labels": {"owner": _kind("labels of volumes", _url())}},
        "nfs": {},
    },
    "networks": {"front": {"labels": {"n": _kind("labels of networks", _url())},
                           "driver_opts": {"secret": _kind("options of networks", _next())}}},
}  # fmt: skip
_FIXED = [_next(), _next(), _next()]
FILES = {
    "compose.yaml": json.dumps({"include": ["inner/compose.yaml"], **DOCUMENT}),
    "inner/compose.yaml": json.dumps({"services": {"inner": {
        "image": "registry.example/inner:1",
        "environment": ["INNER=${INNER_TOKEN}", "OTHER=x-${INNER_URL}"],
        "command": "serve ${INNER_URL}",
    }}}),
    "inner/.env": f"INNER_TOKEN={_FIXED[0]}\nINNER_URL=postgres://app:{_FIXED[1]}@db\nUNREAD_KEY={_FIXED[2]}\n",
    ".env": f"UNREAD_SECRET={_kind('.env', _next())}\n",
    "app.env": "".join(f"K{number}={_kind('env_file', _next())}\n" for number in range(4)),
    "app.labels": f"from.file={_kind('label_file', _url())}\nfile.password={_kind('label_file', _next())}\n",
    "secret.txt": _kind("files of secrets", _next()),
}  # fmt: skip
PLACES["variables of an included file"] = _FIXED
PLACES["the caller's environment"] = SECRETS[4:8]
PLANTED = [secret for secrets in PLACES.values() for secret in secrets]


def planted(text: str | bytes, secrets: list[str] = SECRETS) -> list[str]:
    """The secrets in a text."""
    content = text if isinstance(text, bytes) else text.encode()
    return [secret for secret in secrets if secret.encode() in content]


def rendered(values: Mapping[str, Any]) -> Iterator[str]:
    """Every text below a value."""
    for value in values.values() if isinstance(values, Mapping) else values:
        if isinstance(value, Mapping | list):
            yield from rendered(value)  # type: ignore[arg-type]
        elif isinstance(value, str):
            yield value
