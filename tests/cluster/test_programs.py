"""Where programs come from: PATH, the cache, a download that is held to its checksum, Go."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import signal
import ssl
import subprocess
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tests import certificates
from tests.cluster.conftest import Script
from tycho.errors import ToolMissing
from tycho.toolchain import programs
from tycho.toolchain.process import until
from tycho.toolchain.programs import ARCHITECTURE, PROGRAMS, Program

needs_go = pytest.mark.skipif(not shutil.which("go"), reason="there is no Go")
MODULE = "tycho.test/greeter/v3"


def keep(program: Program, text: str) -> Path:
    program.cached.parent.mkdir(parents=True)
    program.cached.write_text(text)
    return program.cached


@pytest.mark.parametrize(
    ("name", "printed", "will_do"),
    [
        ("helm", "v4.2.4", True),
        ("helm", "v4.10.0", True),
        ("helm", "v4.2.3", False),
        ("helm", "v3.22.0", False),
        ("helm", "v5.0.0", False),
        ("helm", "nonsense", False),
        ("kube-apiserver", "Kubernetes v1.37.0", True),
        ("kube-apiserver", "Kubernetes v1.36.9", False),
        ("etcd", "etcd Version: 3.6.1\nGit SHA: 1.1.1", True),
        ("etcd", "etcd Version: 3.4.23", False),  # it cannot tell how far a watch has come
        ("kwok", "kwok version v0.9.0 go1.26.0", False),
    ],
)
def test_a_program_on_path_is_taken_when_its_version_will_do(
    cache: Path, script: Script, name: str, printed: str, will_do: bool
) -> None:
    path = script(name, f"echo '{printed}'")
    assert programs.find(name) == (path if will_do else None)
    cached = keep(PROGRAMS[name], "")
    assert programs.find(name) == (path if will_do else cached)


def test_a_version_is_asked_once_until_the_file_changes(cache: Path, script: Script, tmp_path: Path) -> None:
    helm = script("helm", f"echo asked >>{tmp_path}/asked; echo v4.3.0")
    assert [programs.find("helm") for _ in range(3)] == [helm] * 3
    assert (tmp_path / "asked").read_text() == "asked\n"
    script("helm", "echo v3.19.0 is what I have become")
    assert programs.find("helm") is None


def test_what_is_in_the_cache_is_taken_without_a_word(cache: Path, script: Script) -> None:
    cached = keep(PROGRAMS["kwok"], "")
    messages: list[str] = []
    assert programs.tool("kwok", messages.append) == cached
    assert messages == []


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, bytes]]:
    """Files that a web server on loopback gives, over TLS; by their paths."""
    files: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = files.get(self.path)
            self.send_response(200 if content is not None else 404)
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, *_: object) -> None:
            pass

    pki = tmp_path / "pki"
    pki.mkdir()
    certificates.authority(pki, "ca")
    certificates.certificate(pki, "server", "ca", "server", hosts=("127.0.0.1",))
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki / "server.crt", pki / "server.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    monkeypatch.setenv("SSL_CERT_FILE", str(pki / "ca.crt"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    url = f"https://127.0.0.1:{server.server_port}/{{version}}/{{name}}-{{arch}}"
    plain = Program("plain", "1.2.3", (1,), (2,), "tycho.test/plain", "", url=url)
    packed = Program(
        "packed",
        "1.2.3",
        (1,),
        (2,),
        "tycho.test/packed",
        "",
        url=url + ".tgz",
        sums="{folder}/SUMS",
        member="a/packed",
    )
    for program in (plain, packed):
        monkeypatch.setitem(PROGRAMS, program.name, program)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield files
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_download_is_taken_when_its_checksum_is_right(cache: Path, script: Script, site: dict[str, bytes]) -> None:
    site[f"/1.2.3/plain-{ARCHITECTURE}"] = b"#!/bin/sh\necho plain 1.2.3\n"
    sums = hashlib.sha256(site[f"/1.2.3/plain-{ARCHITECTURE}"]).hexdigest()
    site[f"/1.2.3/plain-{ARCHITECTURE}.sha256"] = sums.encode() + b"\n"
    messages: list[str] = []
    got = programs.tool("plain", messages.append)
    assert subprocess.run([got], check=True, capture_output=True, text=True).stdout == "plain 1.2.3\n"
    assert messages == ["downloading plain 1.2.3"]
    assert programs.find("plain") == got


def test_a_program_is_taken_out_of_its_archive(cache: Path, script: Script, site: dict[str, bytes]) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        entry = tarfile.TarInfo("a/packed")
        entry.size = 4
        archive.addfile(entry, io.BytesIO(b"data"))
    name = f"packed-{ARCHITECTURE}.tgz"
    site[f"/1.2.3/{name}"] = buffer.getvalue()
    right = hashlib.sha256(buffer.getvalue()).hexdigest()
    site["/1.2.3/SUMS"] = f"### sums\n{'0' * 64}  other.tgz\n{right} *{name}\n".encode()
    assert programs.tool("packed").read_bytes() == b"data"


@pytest.mark.parametrize("published", ["0" * 64, "", "{right}  another-file"])
def test_a_download_that_is_not_what_was_published_is_thrown_away(
    cache: Path, script: Script, site: dict[str, bytes], published: str
) -> None:
    site[f"/1.2.3/plain-{ARCHITECTURE}"] = b"evil"
    right = hashlib.sha256(b"evil").hexdigest()
    site[f"/1.2.3/plain-{ARCHITECTURE}.sha256"] = published.format(right=right).encode()
    with pytest.raises(ToolMissing, match="is not what its checksum"):
        programs.tool("plain")
    assert programs.find("plain") is None


def test_without_network_and_go_it_says_what_to_do(
    cache: Path, script: Script, site: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    script("go", "echo go version go1.19.8 linux/amd64")
    with pytest.raises(ToolMissing, match=r"plain 1\.2\.3: not here.*no Go 1\.21") as caught:
        programs.tool("plain")
    assert caught.value.hint == "install Go (go.dev/doc/install), or put plain on PATH"


@pytest.fixture
def proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is a Go module proxy, with one module: it replaces another by a folder, as Kubernetes does."""
    monkeypatch.setenv("GOPROXY", f"file://{tmp_path}/proxy")
    monkeypatch.setenv("GONOSUMDB", "*")
    monkeypatch.setenv("GOFLAGS", "-modcacherw")
    monkeypatch.setenv("GOMODCACHE", str(tmp_path / "modules"))
    monkeypatch.setenv("GOTOOLCHAIN", "local")
    main = (
        'package main\n\nimport ("fmt"; "tycho.test/word")\n\nvar version = "unknown"\n\n'
        'func main() { fmt.Println(word.Word, version) }\n'
    )  # fmt: skip
    publish(
        tmp_path, MODULE, "v3.37.2",
        "go 1.21\nrequire tycho.test/word v0.0.0\nreplace tycho.test/word => ./staging/word\n",
        {"main.go": main, "cmd/second/main.go": main},
    )  # fmt: skip
    publish(tmp_path, "tycho.test/word", "v0.37.2", "go 1.21\n", {"word.go": 'package word\n\nconst Word = "hello"\n'})
    monkeypatch.setitem(
        PROGRAMS, "greeter", Program("greeter", "3.37.2", (3,), (4,), MODULE, "", ("main.version=v{version}/{minor}",))
    )
    monkeypatch.setitem(PROGRAMS, "second", Program("second", "3.37.2", (3,), (4,), MODULE, "/cmd/second"))
    return tmp_path / "proxy"


def publish(where: Path, module: str, version: str, mod: str, files: dict[str, str]) -> None:
    folder = where / "proxy" / module / "@v"
    folder.mkdir(parents=True)
    mod = f"module {module}\n\n{mod}"
    (folder / "list").write_text(f"{version}\n")
    (folder / f"{version}.mod").write_text(mod)
    (folder / f"{version}.info").write_text(f'{{"Version": "{version}", "Time": "2026-01-01T00:00:00Z"}}')
    with zipfile.ZipFile(folder / f"{version}.zip", "w") as archive:
        for name, text in {"go.mod": mod, **files}.items():
            archive.writestr(f"{module}@{version}/{name}", text)


@needs_go
def test_programs_of_one_module_are_built_together_each_under_its_name(
    cache: Path, script: Script, proxy: Path
) -> None:
    messages: list[str] = []
    built = programs.tools(["greeter", "second"], messages.append)
    assert messages == ["building greeter, second 3.37.2 (once, about 2 min)"]
    assert {path.parent.parent for path in built.values()} == {cache / "bin"}
    outputs = {
        name: subprocess.run([path], check=True, capture_output=True, text=True).stdout for name, path in built.items()
    }
    assert outputs == {"greeter": "hello v3.37.2/37\n", "second": "hello v3.37.2/37\n"}
    assert programs.tools(["greeter", "second"], messages.append) == built
    assert len(messages) == 1


@needs_go
def test_a_build_that_fails_says_which_program_and_shows_the_end_of_the_log(
    cache: Path, script: Script, proxy: Path
) -> None:
    shutil.rmtree(proxy / "tycho.test/word")
    with pytest.raises(ToolMissing, match=r"building greeter 3\.37\.2 failed:") as caught:
        programs.tool("greeter")
    assert "tycho.test/word" in caught.value.message
    log = Path(caught.value.hint.removeprefix("read "))
    assert "tycho.test/word" in log.read_text()
    assert programs.find("greeter") is None


class StruckWhileStarting(subprocess.Popen):  # type: ignore[type-arg]
    """A process whose start is interrupted at its last moment, once it has written which compiler it runs."""

    compiler: ClassVar[Path]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if options.get("start_new_session"):
            assert until(lambda: self.compiler.exists() and self.compiler.read_text().endswith("\n"), 60)
            os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize("moment", ["while it starts", "later"])
def test_an_interrupted_build_leaves_no_compiler(
    cache: Path, script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    interrupt = "kill -INT $PPID;" if moment == "later" else ""
    script("go", f"""
        case $1 in
          version) echo go version go1.26.0 linux/amd64 ;;
          *) /bin/sleep 600 & echo $! >{tmp_path}/compiler; {interrupt} wait ;;
        esac
    """)  # fmt: skip
    if moment != "later":
        StruckWhileStarting.compiler = tmp_path / "compiler"
        monkeypatch.setattr(subprocess, "Popen", StruckWhileStarting)
    monkeypatch.setitem(PROGRAMS, "greeter", Program("greeter", "3.37.2", (3,), (4,), MODULE, ""))
    with pytest.raises(KeyboardInterrupt):
        programs.tool("greeter")
    compiler = int((tmp_path / "compiler").read_text())
    stat = Path(f"/proc/{compiler}/stat")
    assert until(lambda: not stat.exists() or ") Z " in stat.read_text(), 10)
