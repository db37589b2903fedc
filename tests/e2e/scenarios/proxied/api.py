"""Notes in a database: POST adds one, GET lists them; `migrate N` brings the table to version N."""

import http.server
import os
import socket
import sys

import psycopg2


def query(text, *values):
    with psycopg2.connect(os.environ["DATABASE"]) as connection, connection.cursor() as cursor:
        cursor.execute(text, values)
        return cursor.fetchall() if cursor.description else []


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/version":
            return self.say(os.environ["VERSION"])
        if self.path == "/host":
            return self.say(socket.gethostname())
        table = {"/notes": "SELECT text FROM notes ORDER BY text", "/migrations": "SELECT n::text FROM migrations"}
        return self.say(" ".join(row[0] for row in query(table[self.path])))

    def do_POST(self) -> None:
        query("INSERT INTO notes VALUES (%s)", self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.say("added")

    def say(self, text) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_) -> None:
        pass


if sys.argv[1] == "migrate":
    query("CREATE TABLE IF NOT EXISTS migrations (n int)")
    query("CREATE TABLE IF NOT EXISTS notes (text text)")
    query("INSERT INTO migrations VALUES (%s)", int(sys.argv[2]))
else:
    http.server.ThreadingHTTPServer(("", 8000), Answer).serve_forever()
