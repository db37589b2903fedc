"""Says its version; SIGTERM ends it at once, but for the answers that are under way."""

import http.server
import os
import signal
import threading


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(os.environ["VERSION"].encode())

    def log_message(self, *_) -> None:
        pass


server = http.server.ThreadingHTTPServer(("", 8000), Answer)
server.daemon_threads = False
server.request_queue_size = 100
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
server.serve_forever()
server.server_close()
