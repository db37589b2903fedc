"""Bodies that somebody sends to do harm: each is refused, and nothing is run, read, or told that is not his to know."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.api.conftest import Service, serving

Body = dict[str, Any]
WORD = "not-for-callers"  # what the files and variables of the service hold
START: Body = {"name": "shop", "system": {"services": {"web": {"image": "nginx"}}}}
# Files of the service's machine, and addresses that it can reach and a caller cannot.
PLACES = (
    "{folder}/secret", "../../../../../..{folder}/secret", "/etc/passwd", "/proc/self/environ", "~/.ssh/id_rsa",
    "file://{folder}/secret", "http://169.254.169.254/latest/meta-data", "git@127.0.0.1:a/b.git", "/dev/zero",
    "oci://127.0.0.1:1/a",
)  # fmt: skip
FILES = {  # where a compose file names another file that is read
    "include": lambda place: {"include": [place]},
    "include.path": lambda place: {"include": [{"path": [place], "env_file": place}]},
    "extends": lambda place: {"services": {"web": {"extends": {"file": place, "service": "web"}}}},
    "env_file": lambda place: {"services": {"web": {"image": "nginx", "env_file": place}}},
    "env_file.path": lambda place: {"services": {"web": {"image": "nginx", "env_file": [{"path": place}]}}},
    "label_file": lambda place: {"services": {"web": {"image": "nginx", "label_file": place}}},
    "configs": lambda place: {
        "services": {"web": {"image": "nginx", "configs": ["c"]}},
        "configs": {"c": {"file": place}},
    },
    "secrets": lambda place: {
        "services": {"web": {"image": "nginx", "secrets": ["c"]}},
        "secrets": {"c": {"file": place}},
    },
    "credential_spec": lambda place: {"services": {"web": {"image": "nginx", "credential_spec": {"file": place}}}},
    "bind": lambda place: {"services": {"web": {"image": "nginx", "volumes": [f"../..{place}:/data:ro"]}}},
}
VARIABLES = {
    "config": {
        "services": {"web": {"image": "nginx", "configs": ["c"]}},
        "configs": {"c": {"environment": "SECRET_WORD"}},
    },
}
# Text that a shell, a template engine, YAML or a path takes for more than text, where a name stands.
TEXTS = (
    "$(touch {folder}/run)", "`touch {folder}/run`", "; touch {folder}/run", "a\n---\nkind: Pod", "{{ .Values }}",
    '{{ include "x" . }}', "{% import os %}", "${jndi:ldap://127.0.0.1/a}", "../..", "a\0b", "--set=a=b", "\u202eshop",
    "'; DROP TABLE systems; --", "!!python/object/apply:os.system ['touch {folder}/run']",
)  # fmt: skip
NAMES = {  # where a name stands that Kubernetes, Helm or Compose gives a meaning
    "name": lambda text: {**START, "name": text},
    "guid": lambda text: {**START, "tycho-guid": text},
    "service": lambda text: {**START, "system": {"services": {text: {"image": "nginx"}}}},
    "volume": lambda text: {**START, "system": {"services": {"web": {"image": "nginx"}}, "volumes": {text: {}}}},
    "network": lambda text: {**START, "system": {"services": {"web": {"image": "nginx"}}, "networks": {text: {}}}},
    "image": lambda text: {**START, "system": {"services": {"web": {"image": text}}}},
    "port": lambda text: {**START, "system": {"services": {"web": {"image": "nginx", "ports": [text]}}}},
    "client": lambda text: {**START, "services": {"web": {"port": 80, "clients": [text]}}},
    "secret": lambda text: {**START, "system": {"services": {"web": {"image": "nginx", "secrets": [text]}}}},
    "depends_on": lambda text: {**START, "system": {"services": {"web": {"image": "nginx", "depends_on": [text]}}}},
}


def list_bodies(folder: Path) -> Iterator[tuple[str, Body]]:
    """List the bodies, each with what it is."""
    for place, (where, write) in product(PLACES, FILES.items()):
        yield f"{where} {place}", {"name": "shop", "system": write(place.replace("{folder}", str(folder)))}
    for text, (where, put) in product(TEXTS, NAMES.items()):
        yield f"{where} {text!r}", put(text.replace("{folder}", str(folder)))
    for where, system in VARIABLES.items():
        yield f"the service's variable as a {where}", {"name": "shop", "system": system}


@pytest.fixture
def victim(tmp_path: Path) -> Iterator[tuple[Service, Path]]:
    """A service with a file and a variable that are not for its callers."""
    (tmp_path / "secret").write_text(f"WORD={WORD}\n")
    with serving("-b", "memory", SECRET_WORD=WORD) as service:
        yield service, tmp_path


def test_hostile_bodies(victim: tuple[Service, Path]) -> None:
    service, folder = victim
    bodies = list(list_bodies(folder))
    assert len(bodies) >= 200
    with httpx2.Client(base_url=service.url, timeout=60) as http:
        answers = {what: http.post("/system/start", json=body) for what, body in bodies}
        left = http.post("/system/status", json={}).json()["result"]
    assert {what: answer.text for what, answer in answers.items() if answer.status_code not in (400, 422)} == {}
    assert left == []
    shown = "".join(answer.text for answer in answers.values()) + "".join(service.log)
    assert all(
        word not in shown for word in (WORD, "root:x:", "Traceback", "internal error", str(Path(__file__).parents[2]))
    )
    assert list(folder.iterdir()) == [folder / "secret"]
