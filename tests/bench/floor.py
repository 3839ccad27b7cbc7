"""The least that a durable till request can cost: Flask on waitress, one row of SQLite on the disk for each POST."""

import sqlite3
import sys
import threading

from flask import Flask, request
from waitress import serve


def main() -> None:
    """Serve on a port of loopback: `floor.py PORT FILE`."""
    port, path = int(sys.argv[1]), sys.argv[2]
    connection, turn = sqlite3.connect(path, check_same_thread=False), threading.Lock()
    for pragma in ("journal_mode=WAL", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("CREATE TABLE sale (id INTEGER PRIMARY KEY, body BLOB)")
    app = Flask(__name__)

    @app.route("/", defaults={"path": ""}, methods=["GET", "POST"])
    @app.route("/<path:path>", methods=["GET", "POST"])
    def keep(path: str) -> tuple[dict[str, str], int]:
        if request.method == "POST":
            with turn, connection:
                connection.execute("INSERT INTO sale (body) VALUES (?)", (request.get_data(),))
        return {"scan": "0" * 26}, 201

    serve(app, host="127.0.0.1", port=port, threads=8)


if __name__ == "__main__":
    main()
