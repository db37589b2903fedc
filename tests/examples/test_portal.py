"""The portal, in a real browser: on a real API server with simulated nodes, through a stand-in for an ingress."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import FORBIDDEN, NOT_FOUND, OK, UNAUTHORIZED
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests import browser, ingress
from tests.api.conftest import serving
from tests.browser import Browser, Page
from tycho.toolchain import programs

pytestmark = pytest.mark.xdist_group("cluster")
PORTAL = Path(__file__).parents[2] / "examples/portal"
TOKENS = {"ada": "a" * 40, "eve": "e" * 40}
ROWS = "[...document.querySelectorAll('#systems tr')].map(row => row.innerText)"
BROKEN = "services: {web: {image: web, annotations: {tycho.dev/simulate: InvalidImageName}, ports: ['80']}}\n"


class App(BaseHTTPRequestHandler):
    """What would run in a simulated container: two pages, below the prefix that a header tells."""

    def do_GET(self) -> None:
        prefix = self.headers.get("X-Forwarded-Prefix", "")
        content = f'<p>at {self.path}</p><a href="{prefix}/inner">inner</a>'.encode()
        self.send_response(OK)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def backend() -> Iterator[tuple[str, int]]:
    """The address of what stands in for every container."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), App)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.1,))
    thread.start()
    try:
        yield "127.0.0.1", server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def portal(service: str, apps: Path) -> Iterator[str]:
    """The portal as its README starts it; its address."""
    argv = [sys.executable, "-m", "uvicorn", "portal:app", "--app-dir", PORTAL, "--port", "0"]
    env = {"PATH": os.environ["PATH"], "TYCHO_SERVICE": service, "PORTAL_APPS": str(apps)}
    with subprocess.Popen(argv, env=env, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        try:
            lines = []
            for line in process.stderr:
                lines.append(line)
                if match := re.search(r"running on (http://\S+)", line):
                    break
            else:
                raise AssertionError("".join(lines))
            draining = threading.Thread(target=process.stderr.read)
            draining.start()
            yield match[1]
        finally:
            process.terminate()
            process.wait()
        draining.join()


@pytest.fixture(scope="module")
def place(kubeconfig: Path, helm: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A portal on a service with tokens, and a stand-in for the ingress that its URLs lead to."""
    folder = tmp_path_factory.mktemp("portal")
    (folder / "tokens.yaml").write_text(json.dumps({
        "tokens": {
            user: {"hash": f"sha256:{hashlib.sha256(token.encode()).hexdigest()}", "scopes": ["systems:*!user=me"]}
            for user, token in TOKENS.items()
        }
    }))  # fmt: skip
    (folder / "tokens.yaml").chmod(0o600)
    shutil.copytree(PORTAL / "apps", folder / "apps")
    (folder / "apps/broken.yaml").write_text(BROKEN)
    kubectl = [programs.tool("kubectl"), "--kubeconfig", kubeconfig, "get", "--raw"]

    def objects(path: str) -> list[Any]:
        if path != ingress.KINDS["Ingress"]:
            return []
        items: list[Any] = json.loads(subprocess.run([*kubectl, path], check=True, capture_output=True).stdout)["items"]
        return items

    with ExitStack() as stack:
        address = stack.enter_context(backend())
        controller = ingress.Controller(objects, {"nginx": "ingress-nginx"})
        port = stack.enter_context(ingress.serving(controller, lambda *_: address))
        service = stack.enter_context(
            serving(
                "--tokens", str(folder / "tokens.yaml"),
                KUBECONFIG=str(kubeconfig), TYCHO_HELM=str(helm), TYCHO_QUIET_TIME="0", TYCHO_URL_CLASS="nginx",
                TYCHO_URL_TEMPLATE=f"http://apps.localhost:{port}/private/{{user}}/{{name}}/{{guid}}/",
            )
        )  # fmt: skip
        yield stack.enter_context(portal(service.url, folder / "apps"))


async def sign_in(browser: Browser, place: str, user: str) -> Page:
    page = await browser.open(place, await browser.user())
    await page.wait("!document.querySelector('#sign-in').hidden")
    await page.run(f"document.querySelector('[name=token]').value = '{TOKENS[user]}'")
    await page.run("document.querySelector('#sign-in').requestSubmit()")
    await page.wait("!document.querySelector('#desk').hidden")
    return page


async def start(page: Page, app: str, end: str) -> str:
    """Start an app, and watch it to its end; all that the page said of its progress."""
    await page.run("""{
      window.told = [];
      const line = document.querySelector('#progress');
      new MutationObserver(() => window.told.push(line.textContent)).observe(line, {childList: true});
      0
    }""")
    await page.run(f"document.querySelector('[name=app]').value = '{app}'")
    await page.run("document.querySelector('#start').requestSubmit()")
    await page.wait(f"window.told.some(line => line.includes('{end}'))")
    return "\n".join(await page.run("window.told"))


@pytest.mark.skipif(browser.PROGRAM is None, reason="PORTAL NOT DRIVEN BY A BROWSER: there is no chromium here")
def test_two_users(place: str) -> None:
    async def story() -> None:
        async with browser.chromium() as chromium:
            ada, eve = await sign_in(chromium, place, "ada"), await sign_in(chromium, place, "eve")
            progress = await start(ada, "page", "page is ready")
            assert "page: ready" in progress
            assert "100 % page is ready" in progress
            url = await ada.wait("document.querySelector('#systems a[href]')?.href")
            id = await ada.run("document.querySelector('#systems tr').dataset.id")
            assert re.fullmatch(rf"http://apps\.localhost:\d+/private/ada/page/{id}/", url)
            opened = await chromium.open(url, await chromium.user())
            assert await opened.run("document.querySelector('p').textContent") == "at /"
            await opened.run("document.querySelector('a').click()")
            await opened.wait("document.querySelector('p').textContent === 'at /inner'")
            assert await opened.run("location.pathname") == f"/private/ada/page/{id}/inner"

            progress = await start(ada, "broken", "cannot start")
            assert "Invalid" in progress
            broken = await ada.wait(f"{ROWS}.find(row => row.startsWith('broken') && row.includes('web:'))")
            assert "Invalid" in broken
            assert "Open" not in broken

            await eve.run("list()")
            assert await eve.run(ROWS) == []
            for path in (f"/events/{id}", f"/stop/{id}"):
                method = "POST" if "stop" in path else "GET"
                status = await eve.run(f"fetch('{path}', {{method: '{method}'}}).then(answer => answer.status)")
                assert status == NOT_FOUND
            assert len(await ada.run(ROWS)) == 2

            for left in (1, 0):
                await ada.run("document.querySelector('#systems button').click()")
                await ada.wait(f"{ROWS}.length === {left}")
            assert await opened.run("fetch('..').then(answer => answer.status)") == NOT_FOUND
            await ada.run("document.querySelector('#sign-out').click()")
            await ada.wait("!document.querySelector('#sign-in').hidden")

    asyncio.run(story())


def test_who_may(place: str) -> None:
    """What the browser is kept from, and what needs no browser to be seen."""
    with httpx2.Client(base_url=place) as client:
        assert client.get("/systems").status_code == UNAUTHORIZED
        refused = client.post("/sign-in", json={"token": "nobody's"})
        assert (refused.status_code, "token" in refused.json()["message"]) == (UNAUTHORIZED, True)
        cookie = client.post("/sign-in", json={"token": TOKENS["eve"]}).headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        foreign = client.post("/start", json={"app": "page"}, headers={"Sec-Fetch-Site": "same-site"})
        assert foreign.status_code == FORBIDDEN
        assert client.post("/start", json={"app": "../page"}).status_code == NOT_FOUND
        assert client.get("/portal.py").status_code == NOT_FOUND
        assert client.get("/systems").json() == {"apps": ["broken", "notebook", "page"], "systems": []}
