"""Secret files, by name or by content: in the values of the release, mounted at their place, never in the chart."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.chart.carrying import bind, compiled, reasons, seen, whole
from tycho.chart import emit, release_values
from tycho.compose import Sources, load
from tycho.policy import apply_policies

KEY = "-----BEGIN PRIVATE KEY-----\nplanted-in-a-key\n-----END PRIVATE KEY-----\n"
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
MIXED = {
    "site/index.html": "<p>", "site/tls/server.key": "planted-0", "site/tls/server.crt": CERTIFICATE,
    "site/ca.pem": CERTIFICATE, "site/id.txt": KEY, "site/bin/run": "#!/bin/sh", "site/raw.p12": "planted-1",
    "site/URL": "postgres://app:planted-2@db/x",
}  # fmt: skip
SECRET = {"tls/server.key", "id.txt", "raw.p12", "URL"}


def test_mixed_folders_are_whole(bench: Any) -> None:
    text = bind("./site:/etc/site:ro", "./site/tls/server.key:/key:ro")
    system = bench.system(text, MIXED)
    (bench.folder / f"project{bench.count}" / "site/bin/run").chmod(0o755)
    system = load(Sources.from_disk([str(bench.folder / f"project{bench.count}" / "compose.yaml")], env={}))
    chart = emit(apply_policies(system))
    assert b"planted" not in whole(chart)
    assert b"planted" not in chart.archive()
    objects = bench.render(chart, release_values(apply_policies(system).system))
    expected = {
        f"/etc/{path}": (
            content.encode(), 0o755 if path.endswith("run") else 0o644,
            "secret" if path.removeprefix("site/") in SECRET else "configMap",
        )
        for path, content in MIXED.items()
    }  # fmt: skip
    assert seen(objects, "rel-web") == {**expected, "/key": (b"planted-0", 0o644, "secret")}
    plain = [rendered for rendered in objects if rendered["kind"] != "Secret"]
    assert "planted" not in json.dumps(plain)
    outcomes = [outcome for outcome, _ in reasons(chart)]
    assert outcomes == ["translated", "approximated"]


def test_new_content_rolls_the_pods(bench: Any) -> None:
    def annotations(content: str) -> dict[str, str]:
        objects = bench.objects(bind("./a.key:/a.key:ro"), files={"a.key": content})
        pod_annotations: dict[str, str] = objects.find("Deployment")["spec"]["template"]["metadata"]["annotations"]
        return pod_annotations

    before, after = annotations("planted-1"), annotations("planted-2")
    assert {key for key in before if before[key] != after[key]} == {"checksum/files.a-key"}


def test_the_chart_does_not_depend_on_secrets(tmp_path: Path) -> None:
    charts = [
        compiled(tmp_path, bind("./conf:/c:ro"), {"conf/a.key": content, "conf/plain": plain})
        for content, plain in (("planted-1", "x"), ("planted-2", "x"), ("planted-2", "y"))
    ]
    assert charts[0].files == charts[1].files
    assert charts[1].version != charts[2].version
    projects = [json.dumps(str(chart.files["Chart.yaml"]).partition("tycho.dev/compose")[2][:90]) for chart in charts]
    assert projects[0] == projects[1] != projects[2]


def test_a_chart_alone_says_which_file_is_missing(bench: Any) -> None:
    chart = bench.chart(bind("./conf:/c:ro"), {"conf/server.key": "planted", "conf/a": "a"})
    assert "--set-string 'secretFiles.conf.server\\.key'=" in str(chart.files["README.md"])
    objects = bench.render(chart)
    assert objects.find("Secret", "rel-conf-secret-files")["data"] == {}
    given = bench.render(chart, {}, "--set-string", r"secretFiles.conf.server\.key=eA==")
    assert objects.find("Secret", "rel-conf-secret-files") != given.find("Secret", "rel-conf-secret-files")
    assert seen(given, "rel-web")["/c/server.key"] == (b"x", 0o644, "secret")
    wrong = bench.run(chart, {"secretFiles": {"conf": {"server.kye": "eA=="}}})
    assert "server.kye" in wrong.stderr
    assert bench.lint([chart]) == ""


NAMES = {
    "id_rsa": True, "ID_RSA": True, "deploy/id_ed25519": True, "id_ed25519.pub": False, "server.key": True,
    "tls/Server.KEY": True, ".npmrc": True, ".kube/config": True, "home/.docker/config.json": True,
    "config.json": False, "credentials": True, "gcp-credentials.json": True, "terraform.tfstate": True,
    "prod.tfvars": True, "secrets.yml": True, "app/.env.production": True, "vault.kdbx": True, "htpasswd": True,
    "key.sample": False, "index.html": False, "keyboard.txt": False, "secretary.md": False, "public.license": True,
    "mine.key": False, "app.license.sample": False, "kept.license.sample": True, "docs/mine.key": False,
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_names_of_secret_files(name: str, tmp_path: Path) -> None:
    words = 'x-tycho: {secretFiles: ["*.license", "!mine.key", "kept.license.sample"]}\n'
    chart = compiled(tmp_path, bind(f"./conf/{name}:/x:ro") + words, {f"conf/{name}": "planted"})
    assert (b"planted" not in whole(chart)) is NAMES[name]
    folded = compiled(tmp_path, bind("./conf:/x:ro") + words, {f"conf/{name}": "planted"})
    assert (b"planted" not in whole(folded)) is NAMES[name]


def test_a_link_does_not_hide_a_name(tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "plain").symlink_to("../keys/id_rsa")
    files = {"keys/id_rsa": "planted", "conf/a": "a"}
    assert b"planted" not in whole(compiled(tmp_path, bind("./conf:/x:ro"), files))
    assert b"planted" not in whole(compiled(tmp_path, bind("./conf/plain:/x:ro"), files))


def test_a_copy_of_the_compose_file(tmp_path: Path) -> None:
    text = bind(".:/srv:ro") + "    environment: {DB_PASSWORD: planted-in-the-file}\n"
    assert b"planted" not in whole(compiled(tmp_path, text, {"a": "a"}))
