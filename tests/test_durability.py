"""An answered purchase is on the disk: the kernel is watched, and each answer must follow a sync of the database."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from app.core.db import Database
from tests.conftest import KEYS
from tests.kill.harness import ROOT, a_place, environment, post, purchase
from tests.members.races import FULL

ANSWERS = 100 if FULL else 20
SERVE = "from app.cli import main; raise SystemExit(main(['serve']))"
TWIN = (
    "from app.core import db; strict = db._sqlite_connect; "
    "db._sqlite_connect = lambda raw, row: (strict(raw, row), raw.execute('PRAGMA synchronous=NORMAL')); " + SERVE
)
CALLS = "trace=fsync,fdatasync,sendto,send,write,sendmsg"
_LINE = re.compile(r"(?P<thread>\d+) +(?:<\.\.\. )?(?P<call>\w+)(?P<rest>.*)")


def unwatchable() -> str:
    """Return why the kernel cannot be watched here; empty when it can."""
    if shutil.which("strace") is None:
        return "strace is not installed: that each answer follows a sync is not shown here"
    tried = subprocess.run(["strace", "-o", os.devnull, "true"], capture_output=True, check=False)
    return "" if tried.returncode == 0 else "this machine does not let strace watch a process"


pytestmark = pytest.mark.skipif(bool(unwatchable()), reason=unwatchable() or "watchable")


def answers_without_a_sync(url: str, folder: Path, program: str) -> tuple[int, int]:
    """Serve under strace, book purchases one by one; return how many were answered, and how many without a sync.

    There is no worker, and a connection of ours stays open: closing the last one would sync by itself.
    """
    database = Database(url, KEYS)
    place = a_place(database)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    log = folder / "strace.log"
    command = ["strace", "-f", "-y", "-s", "40", "-e", CALLS, "-o", str(log), sys.executable, "-c", program]
    surroundings = {**environment(url, folder), "LEIMA_PORT": str(port)}
    with (
        database.engine.connect(),
        subprocess.Popen(command, stdout=subprocess.PIPE, env=surroundings, cwd=ROOT) as served,
    ):
        try:
            assert served.stdout is not None
            assert b"web only" in served.stdout.readline()
            for _answer in range(ANSWERS):
                body, headers = purchase(place, place.codes[0])
                assert post(port, body, headers)[0] == 201
        finally:
            os.kill(int(log.read_text().split(maxsplit=1)[0]), signal.SIGTERM)
    database.close()
    return read(log.read_text())


def read(log: str) -> tuple[int, int]:
    """Count the answers in strace's lines, and those since whose predecessor no sync of the write-ahead log ended."""
    answers = bare = 0
    synced, waiting = False, set()
    for line in log.splitlines():
        match = _LINE.match(line)
        if match is None:
            continue
        thread, call, rest = match.group("thread", "call", "rest")
        if call in ("fsync", "fdatasync"):
            if "unfinished" in rest:
                waiting.update({thread} if "-wal>" in rest else ())
            elif "-wal>" in rest or thread in waiting:
                waiting.discard(thread)
                synced = synced or rest.endswith("= 0")
        elif '"HTTP/1.1 201' in rest:
            answers, bare, synced = answers + 1, bare + (not synced), False
    return answers, bare


def test_every_answer_follows_a_sync_of_the_database(sqlite_url_on_disk: str, tmp_path: Path) -> None:
    assert answers_without_a_sync(sqlite_url_on_disk, tmp_path, SERVE) == (ANSWERS, 0)


def test_answers_without_full_synchronization_are_caught(sqlite_url_on_disk: str, tmp_path: Path) -> None:
    answers, bare = answers_without_a_sync(sqlite_url_on_disk, tmp_path, TWIN)

    assert (answers, bare > 0) == (ANSWERS, True)
