"""Says on each port which one it is."""

import http.server
import socketserver
import threading


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(str(self.server.server_port).encode())


class Echo(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        packet, socket = self.request
        socket.sendto(b"5005 " + packet, self.client_address)


for port in (7001, 7002, 8000, 9000):
    threading.Thread(target=http.server.HTTPServer(("", port), Answer).serve_forever).start()
socketserver.UDPServer(("", 5005), Echo).serve_forever()
