"""A page that remembers when it was last looked at."""

import json
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Page(BaseHTTPRequestHandler):
    """Two pages: looking at the first one is use, asking the second one is not."""

    used = datetime.now(UTC)

    def do_GET(self):
        if self.path != "/api/status":
            Page.used = datetime.now(UTC)
        content = json.dumps({"kernels": 0, "last_activity": Page.used.isoformat()}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_) -> None:
        pass


ThreadingHTTPServer(("", 8000), Page).serve_forever()
