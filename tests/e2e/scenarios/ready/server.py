"""Says its version, and does not end when it is asked to: a pod that was replaced answers as long as it is called."""

import http.server
import os
import signal


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(os.environ["VERSION"].encode())

    def log_message(self, *_) -> None:
        pass


signal.signal(signal.SIGTERM, signal.SIG_IGN)
server = http.server.ThreadingHTTPServer(("", 8000), Answer)
server.request_queue_size = 100
server.serve_forever()
