"""The three programs of the voting system: the page, the worker, the page of results."""

import http.server
import json
import os
import socket
import sys
import time
from urllib.parse import parse_qs

CREATE = "CREATE TABLE IF NOT EXISTS votes (choice text PRIMARY KEY, n int)"
COUNT = "INSERT INTO votes VALUES (%s, 1) ON CONFLICT (choice) DO UPDATE SET n = votes.n + 1"


def redis(*words):
    """One command; the answer's last line."""
    with socket.create_connection(("redis", 6379)) as connection:
        request = "".join(f"${len(word.encode())}\r\n{word}\r\n" for word in words)
        connection.sendall(f"*{len(words)}\r\n{request}".encode())
        lines = connection.makefile()
        answer = lines.readline().strip()
        return lines.readline().strip() if answer[0] == "$" and answer != "$-1" else answer


def database():
    import psycopg2

    connection = psycopg2.connect(dbname=os.environ["PGUSER"])
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute(CREATE)
    return cursor


class Web(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.say(os.environ["CHOICES"])

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.say(redis("LPUSH", "votes", form["vote"][0]))

    def say(self, text) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_) -> None:
        pass


class Result(Web):
    def do_GET(self) -> None:
        cursor = database()
        cursor.execute("SELECT choice, n FROM votes")
        self.say(json.dumps(dict(cursor.fetchall())))
        cursor.connection.close()


def worker() -> None:
    cursor = database()
    while True:
        vote = redis("RPOP", "votes")
        if vote == "$-1":
            time.sleep(0.1)
        else:
            cursor.execute(COUNT, (vote,))


role = sys.argv[1]
if role == "worker":
    worker()
http.server.ThreadingHTTPServer(("", 80), Web if role == "web" else Result).serve_forever()
