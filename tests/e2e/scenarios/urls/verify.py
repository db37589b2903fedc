"""A system opens by its URL behind an Ingress or an HTTPRoute: links work, with the prefix kept and stripped."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from http.client import NOT_FOUND, OK
from urllib.parse import urljoin, urlsplit

from tests.e2e.system import Json, System, eventually, fetch
from tests.ingress import DEFINITIONS, Controller, serving
from tycho.errors import OrchestratorError

DEEP = True  # it stands in for programs that no test can have
SHOWS = ()  # of Compose nothing
SECONDS = 120
TEMPLATE = "http://apps.test/private/{user}/{name}/{guid}/{service}/"
ROUTES = {
    "ingress-nginx": {"TYCHO_URL_CLASS": "nginx"},
    "traefik": {"TYCHO_URL_CLASS": "edge", "TYCHO_URL_CONTROLLER": "traefik"},
    "gateway": {"TYCHO_URL_ROUTE": "httproute", "TYCHO_URL_GATEWAY": "infra/public"},
}


def verify(system: System) -> None:
    node = system.node
    for definition in DEFINITIONS:
        node.kubectl("apply", "-f", "-", stdin=json.dumps(definition))
        node.kubectl("wait", "--for=condition=Established", f"crd/{definition['metadata']['name']}")

    def objects(path: str) -> list[Json]:
        with suppress(OrchestratorError):
            return node.api.request("GET", path)["items"]
        return []

    def resolve(namespace: str, name: str, port: int) -> tuple[str, int]:
        service = json.loads(node.kubectl("-n", namespace, "get", "service", name, "-o", "json"))
        assert port in {entry["port"] for entry in service["spec"]["ports"]}
        return service["spec"]["clusterIP"], port

    controller = Controller(objects, {"nginx": "ingress-nginx", "edge": "traefik"}, "infra/public")
    with serving(controller, resolve) as port:
        for route, settings in ROUTES.items():
            system.up(env={"TYCHO_URL_TEMPLATE": TEMPLATE, "TYCHO_USERNAME": "a@b.org", **settings})
            works(system, port, route)
    forwarded(system)
    system.tycho("down", system.guid, env={"TYCHO_USERNAME": "a@b.org"})
    system.release = {}


def works(system: System, port: int, route: str) -> None:
    """Every link of both pages leads to a page, and nothing leads out of the prefix."""
    urls = {service["name"]: service["url"] for service in system.release["services"]}
    assert urls["hidden"] == ""
    for name in ("kept", "stripped"):
        url = urls[name]
        assert url.startswith("http://apps.test/private/a-b-org-")
        assert url.endswith(f"/{system.guid}/{name}/")
        home = eventually(lambda url=url: opened(port, url), 30)
        inner = urlsplit(url).path.rstrip("/") if name == "kept" else ""
        assert f"<p>{url} /</p>" in home, (route, name, inner)
        links = re.findall(r'href="([^"]+)"', home)
        pages = [opened(port, urljoin(url, link)) for link in links]
        assert ["page one" in page or "page three" in page for page in pages] == [True] * 3, (route, name)
        (back,) = re.findall(r'href="([^"]+)"', pages[1])
        assert opened(port, urljoin(url, back)) == home
        assert ask(port, urljoin(url, "/elsewhere"))[0] == NOT_FOUND
        assert ask(port, url.rstrip("/") + "beside")[0] == NOT_FOUND
    shown = system.tycho("open", system.guid, "stripped", "--print")
    assert shown.strip() == urls["stripped"]
    notes = system.helm("-n", system.space, "get", "notes", system.release["release"])
    assert urls["kept"] in notes
    assert urls["stripped"] in notes


def forwarded(system: System) -> None:
    """A port of this machine leads to the container, through the API server, for several connections, until Ctrl-C."""
    env = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "KUBECONFIG": str(system.node.kubeconfig)}
    argv = [sys.executable, "-m", "tycho", "open", system.guid, "hidden", "--print", "--force"]
    pipe = subprocess.PIPE
    env["PYTHONPATH"] = str(system.code)
    with subprocess.Popen(argv, cwd=system.folder, env=env, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            assert process.stdout
            place = urlsplit(process.stdout.readline().strip())
            assert place.hostname == "127.0.0.1"
            for path in ("/", "/one", "/two/three"):
                assert fetch((place.hostname, place.port or 0), path)[0] == OK
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=30)
    assert process.returncode == 130


def opened(port: int, url: str) -> str:
    """The text of a page that is there."""
    status, text = ask(port, url)
    assert status == OK, f"{url}: {status} {text}"
    return text


def ask(port: int, url: str) -> tuple[int, str]:
    """Ask the stand-in as a browser would that knows the URL's host as it."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request("GET", path, headers={"Host": parts.netloc})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()
