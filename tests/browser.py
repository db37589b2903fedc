"""Debian's Chromium without a window, told what to do by its DevTools protocol."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp

PROGRAM = shutil.which("chromium")
SECONDS = 60  # that a page may take for what is waited for
# Waits in the page itself, and says what is there when it has waited for too long.
WAIT = """
new Promise((resolve, reject) => {
  const end = Date.now() + %d000;
  const look = () => {
    let value;
    try { value = %s; } catch (error) { value = null; }
    if (value) return resolve(value);
    if (Date.now() > end) return reject(new Error(document.body.innerText));
    setTimeout(look, 50);
  };
  look();
})
"""


LEFT = re.compile("navigated or closed|context was destroyed|Cannot find context")


class LeftPageError(Exception):
    """The page that was asked has given way to another."""


@dataclass(slots=True)
class Browser:
    """A connection to a browser.

    Args:
        socket: To all of it; pages are told apart by their sessions.
    """

    socket: aiohttp.ClientWebSocketResponse
    _count: int = 0
    _waiting: dict[int, asyncio.Future[Any]] = field(default_factory=dict)

    async def listen(self) -> None:
        """Hand each answer to who waits for it."""
        async for message in self.socket:
            reply = json.loads(message.data)
            if (waiting := self._waiting.pop(reply.get("id"), None)) and not waiting.done():
                waiting.set_result(reply)

    async def ask(self, method: str, session: str = "", **params: Any) -> Any:
        """Tell the browser to do something; its answer."""
        self._count += 1
        answer = self._waiting[self._count] = asyncio.get_running_loop().create_future()
        asked = {"id": self._count, "method": method, "params": params}
        await self.socket.send_json(asked | ({"sessionId": session} if session else {}))
        reply = await asyncio.wait_for(answer, SECONDS + 10)
        if LEFT.search(reply.get("error", {}).get("message", "")):
            raise LeftPageError
        assert "error" not in reply, f"{method}: {reply['error']}"
        return reply["result"]

    async def user(self) -> str:
        """A user with cookies of his own."""
        return str((await self.ask("Target.createBrowserContext"))["browserContextId"])

    async def open(self, url: str, user: str) -> Page:
        """Open a page in a tab of a user's."""
        target = await self.ask("Target.createTarget", url="about:blank", browserContextId=user)
        attached = await self.ask("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        page = Page(self, attached["sessionId"])
        await self.ask("Page.navigate", page.session, url=url)
        await page.wait("location.href !== 'about:blank' && document.readyState === 'complete'")
        return page


@dataclass(frozen=True, slots=True)
class Page:
    """A tab."""

    browser: Browser
    session: str

    async def run(self, script: str) -> Any:
        """The value of an expression in the page."""
        answer = await self.browser.ask(
            "Runtime.evaluate", self.session, expression=script, awaitPromise=True, returnByValue=True, userGesture=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]["exception"].get("description")
        return answer["result"].get("value")

    async def wait(self, condition: str) -> Any:
        """Wait until an expression of the page is true, be it the next page that a link leads to; its value."""
        while True:
            try:
                return await self.run(WAIT % (SECONDS, condition))
            except LeftPageError:
                continue


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Start a browser, and end it."""
    assert PROGRAM
    with tempfile.TemporaryDirectory(prefix="browser") as home:
        flags = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                 "--disable-background-networking", "--remote-debugging-port=0", f"--user-data-dir={home}")  # fmt: skip
        process = await asyncio.create_subprocess_exec(
            PROGRAM, *flags, "about:blank", stderr=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL
        )
        try:
            address = await asyncio.wait_for(_find_address(process), SECONDS)
            async with aiohttp.ClientSession() as session, session.ws_connect(address, max_msg_size=0) as socket:
                browser = Browser(socket)
                listening = asyncio.create_task(browser.listen())
                yield browser
                await browser.ask("Browser.close")
                await listening
        finally:
            if process.returncode is None:
                try:
                    await asyncio.wait_for(process.communicate(), 20)
                except TimeoutError:
                    process.kill()
                    await process.communicate()


async def _find_address(process: asyncio.subprocess.Process) -> str:
    """Read where the browser listens."""
    assert process.stderr
    lines = []
    async for line in process.stderr:
        lines.append(line.decode(errors="replace"))
        if match := re.search(r"DevTools listening on (ws://\S+)", lines[-1]):
            return match[1]
    raise AssertionError("".join(lines))
