"""The Python client against the installed command."""

from __future__ import annotations

import http.server
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.conftest import TYCHO, WEB, Service, serving
from tycho import errors
from tycho.client import TychoClient, TychoClientFactory, TychoFactory, TychoService, TychoStatus, TychoSystem
from tycho.errors import ClusterUnreachable, ComposeError, NotFound, SourceError, TychoError, UsageError


@pytest.fixture
def client(service: Service) -> Iterator[TychoClient]:
    client = TychoClient(url=service.url)
    yield client
    client.down(client.list(terse=True))


def test_a_system_comes_and_goes(client: TychoClient) -> None:
    system = client.start(request={"name": "shop", "system": WEB, "username": "ada"})
    assert isinstance(system, TychoSystem)
    assert (system.status, system.name, system.error) == ("success", f"shop-{system.identifier}", None)
    (web,) = system.services
    assert isinstance(web, TychoService)
    assert (web.name, web.ip_address) == ("web", "127.0.0.1")
    status = client.status({})
    assert isinstance(status, TychoStatus)
    (row,) = status.services
    assert (row.name, row.identifier, row.username) == ("shop", system.identifier, "ada")
    assert (row.ip_address, row.port) == (web.ip_address, web.port)
    assert row.is_ready
    assert row.creation_time
    assert list(row.utilization) == ["web"]
    assert client.delete({"name": system.name}).status == "success"
    assert client.status().services == []


def test_up_list_and_down(client: TychoClient) -> None:
    settings = "# how it runs\nTAG=2\nexport MOTTO='per aspera'\n"
    assert client.parse_env(settings) == {"TAG": "2", "MOTTO": "per aspera"}
    system = client.up("shop", WEB, settings)
    assert client.list(terse=True) == [system.identifier]
    assert [service.name for service in client.list("shop").services] == ["shop"]
    first, second = client.down(["shop", "nowhere"])
    assert (first.status, second.status) == ("success", "error")
    assert second.message.startswith('no system "nowhere" runs here')


def test_history_rollback_and_compile(client: TychoClient) -> None:
    guid = client.up("shop", WEB).identifier
    client.start({"name": "shop", "system": WEB, "env": {"TAG": "2"}, "tycho-guid": guid})
    assert [revision["revision"] for revision in client.history({"name": guid}).result] == [1, 2]
    assert client.rollback({"name": guid}).message == "rolled back to revision 1 (now revision 3)"
    assert "values.yaml" in client.compile({"name": "shop", "system": WEB}).result["files"]


def test_restart_events_and_logs(client: TychoClient) -> None:
    guid = client.up("shop", WEB).identifier
    assert client.restart({"name": guid, "services": ["web"]}).result["sid"] == guid
    assert [event["service"] for event in client.events({"name": guid}).result] == ["web"]
    assert client.logs({"name": guid, "since": "1h"}).result == []
    assert isinstance(client.logs({"name": guid, "services": ["db"]}).error, NotFound)


def test_an_error_is_an_answer_that_can_be_raised(client: TychoClient) -> None:
    answer = client.start({"name": "shop", "system": {"services": {"web": {"image": "a", "ports": ["80:eighty"]}}}})
    assert (answer.status, answer.name, answer.services) == ("error", "", [])
    assert answer.message.startswith("1 problem: services.web.ports[0]: ")
    assert isinstance(answer.error, ComposeError)
    assert [problem.path for problem in answer.error.problems] == ["services.web.ports[0]"]
    missing = client.delete({"name": "nowhere"}).error
    assert isinstance(missing, NotFound)
    assert missing.exit_code == NotFound.exit_code
    assert isinstance(client.start({"name": "shop"}).error, UsageError)


def test_warnings_are_not_lost(client: TychoClient) -> None:
    (warning,) = client.start({"name": "shop", "system": {"services": {"web": {"image": "a$TAG"}}}}).warnings
    assert warning.startswith('services.web.image: The "TAG" variable is not set')


def test_no_secret_is_logged(service: Service, client: TychoClient) -> None:
    client.start({"name": "shop", "system": WEB, "env": {"TAG": "hunter2"}, "principal": "token-of-ada"})
    client.start({"name": "shop", "system": WEB, "env": {"TAG": "hunter2", "A=B": "hunter2"}})
    log = "".join(service.log)
    assert "POST /system/start" in log
    assert "hunter2" not in log
    assert "token-of-ada" not in log


def test_nobody_answers(tmp_path: Path) -> None:
    with serving("-b", "memory") as gone:
        url = gone.url
    with pytest.raises(ClusterUnreachable, match="no Tycho answers at"):
        TychoClient(url).status()
    for wrong in ("localhost:5000", "http://[::1", "ftp://localhost"):
        with pytest.raises(UsageError, match="is not an address"):
            TychoClient(wrong).status()


def test_somebody_else_answers() -> None:
    class Other(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>" if "start" in self.path else b"[]")

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Other) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        client = TychoClient(f"http://127.0.0.1:{server.server_port}")
        for call in (client.start, client.status):
            with pytest.raises(TychoError, match="answered 200, and not as Tycho does"):
                call({})
        server.shutdown()
        thread.join()


def test_an_env_file_that_is_none() -> None:
    with pytest.raises(SourceError) as caught:
        TychoClient.parse_env("A=1\nB='open\n")
    assert caught.value.problems[0].line == 2


def test_every_error_keeps_its_class_on_the_way() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, TychoError)]
    assert len(kinds) > 15
    for kind in kinds:
        answer = TychoStatus(
            "error", {"error": kind.__name__, "message": "no", "hint": "yes", "problems": []}, "no (yes)"
        )
        assert type(answer.error) is kind
        assert (answer.error.message, answer.error.hint) == ("no", "yes")
    for odd in ({"error": "Problem"}, {"error": "annotations"}, {}, None, []):
        assert type(TychoStatus("error", odd, "no").error) is TychoError


def test_ctrl_c_ends_it_with_all_it_started() -> None:
    with serving("-b", "memory") as service:
        TychoClient(service.url).up("shop", WEB)
        children = Path(f"/proc/{service.process.pid}/task/{service.process.pid}/children").read_text().split()
        assert service.interrupt() == 0
        assert [child for child in children if Path(f"/proc/{child}").exists()] == []


def test_the_command_line_speaks_to_a_service(service: Service, client: TychoClient, tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(json.dumps(WEB))

    def tycho(*argv: str, rc: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [TYCHO, *argv, "--service", service.url], cwd=tmp_path, capture_output=True, text=True, check=False,
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        )  # fmt: skip
        assert done.returncode == rc, done.stderr
        return done

    row = tycho("up", "--name", "shop").stdout.splitlines()[1].split()
    (listed,) = client.list().services
    assert row[:4] == ["shop", listed.identifier, listed.ip_address, listed.port]
    assert tycho("status", "-terse").stdout.split() == [listed.identifier]
    tycho("down", listed.identifier)
    assert tycho("status").stdout == "None running\n"
    assert 'no system "shop" runs here' in tycho("down", "shop", rc=NotFound.exit_code).stderr


def test_a_factory_without_a_cluster_falls_back() -> None:
    assert TychoFactory is TychoClientFactory
    assert TychoClientFactory().get_client().url == "http://localhost:5000"
    assert TychoFactory().get_client(default_url="http://localhost:5001/").url == "http://localhost:5001"


def test_importing_the_client_imports_nothing_heavy() -> None:
    code = "import sys, tycho.client; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert "tycho.client" in modules
    assert not {"httpx2", "pydantic", "fastapi", "kubernetes", "yaml"} & set(modules)
