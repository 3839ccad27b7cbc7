"""Runs the `leima` command, each time in a process of its own, without importing it anew each time.

A start of Python with all of Leima costs two seconds of work before a command does anything. A server that has
imported it once, and done nothing else, forks for each command: the child has the environment, the three streams and
the exit code of its own, as from a shell. The demo and the browser tests start the installed command itself.
"""

import base64
import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from app.cli import main

SECONDS = 60  # that a command may take
processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(["app.cli"])


def environment_of(database_url: str, folder: Path) -> dict[str, str]:
    """Return the environment of a command that works on a test's database, with the keys of the tests."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("LEIMA_")}
    return others | {
        "LEIMA_DATA_DIR": str(folder), "LEIMA_DATABASE_URL": database_url,
        "LEIMA_SECRET_KEY": "a look-up secret for the tests only",
        "LEIMA_ENCRYPTION_KEYS": "test:" + base64.b64encode(b"k" * 32).decode(),
    }  # fmt: skip


def run_leima(
    arguments: Sequence[str], environment: Mapping[str, str], typed: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; `typed` is what its input holds.

    Raises:
        subprocess.TimeoutExpired: it did not end within a minute, and was killed.
    """
    with tempfile.TemporaryDirectory(prefix="leima-command-") as name:
        streams = [Path(name) / stream for stream in ("in", "out", "err")]
        for stream in streams:
            stream.write_text(typed if stream.name == "in" else "")
        child = processes.Process(target=_command, args=(list(arguments), dict(environment), streams))
        child.start()
        child.join(SECONDS)
        if child.exitcode is None:
            child.kill()
            child.join()
            raise subprocess.TimeoutExpired(["leima", *arguments], SECONDS)
        code = child.exitcode
        child.close()
        return subprocess.CompletedProcess(["leima", *arguments], code, *(file.read_text() for file in streams[1:]))


def _command(arguments: list[str], environment: dict[str, str], streams: list[Path]) -> None:
    """Be the command, in the child: nothing of the server but its imports is left."""
    os.environ.clear()
    os.environ.update(environment)
    for number, path in enumerate(streams):
        opened = os.open(path, os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_APPEND)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = os.fdopen(0, closefd=False)  # the server's children get none
    sys.argv = ["leima", *arguments]
    sys.exit(main(arguments))
