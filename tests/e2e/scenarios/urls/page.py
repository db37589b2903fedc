"""A page with links: below the prefix that variables tell, or at the root with the prefix that a header tells."""

import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEPT = os.environ["MODE"] == "kept"
PREFIX = os.environ.get("NB_PREFIX", "").rstrip("/")


class Page(BaseHTTPRequestHandler):
    """Three pages; nothing is found but below the own root."""

    def do_GET(self):
        prefix = PREFIX if KEPT else self.headers.get("X-Forwarded-Prefix", "")
        inner = self.path
        if KEPT:
            if not (inner + "/").startswith(PREFIX + "/"):
                return self.send_error(404, "outside of the prefix")
            inner = inner[len(PREFIX) :] or "/"
        links = f'<a href="{prefix}/one">one</a> <a href="two/three">three</a> <a href="{prefix}/one?x=1">asked</a>'
        pages = {"/": links, "/one": "page one", "/two/three": f'page three <a href="{prefix}/">home</a>'}
        text = pages.get(inner.partition("?")[0])
        if text is None:
            return self.send_error(404, "no such page")
        content = f"<p>{os.environ.get('TYCHO_URL', '')} {inner}</p>{text}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_) -> None:
        pass


ThreadingHTTPServer(("", 8000), Page).serve_forever()
