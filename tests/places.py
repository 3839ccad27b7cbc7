"""Where the tests' SQLite files lie: in memory where the machine has room for it, since every commit waits for a sync.

What a test asserts of the disk itself (kills, syncs) stays on the disk.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MEMORY = Path("/dev/shm")  # noqa: S108 - each folder in it has a name that nobody can guess
ROOM = 256 * 1024 * 1024  # bytes that must be free; containers often have 64 MB in all


@contextmanager
def quick_folder(fallback: Path) -> Iterator[Path]:
    """Lend an empty folder in memory and remove it afterwards; `fallback` where there is no room."""
    if not os.access(MEMORY, os.W_OK) or shutil.disk_usage(MEMORY).free < ROOM:
        yield fallback
        return
    with tempfile.TemporaryDirectory(prefix="leima-test-", dir=MEMORY, ignore_cleanup_errors=True) as name:
        yield Path(name)
