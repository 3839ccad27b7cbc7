"""The demo as people start it: every door named with a log-in, the same keys after a restart, a clean end."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.core.runtime import Runtime
from app.core.settings import Settings
from app.fakes import demo
from app.network import service, staff, tills


def test_keys_and_passwords_open_their_doors_and_outlive_a_restart(runtime: Runtime) -> None:
    demo.load_brand(runtime.database)
    runtime.settings.data_dir.mkdir(parents=True)

    first = demo.logins(runtime)

    assert demo.logins(runtime) == first
    with runtime.database.reading() as session:
        assert {tills.till_by_key(session, till.key).slug for till in first.tills} == {"till-1", "till-2", "checkout"}
        person = first.staff[0]
        assert staff.check_password(session, person.email, person.password).role == "brand_admin"
    assert (runtime.settings.data_dir / demo.LOGINS_FILE).stat().st_mode & 0o777 == 0o600
    assert len({*(till.key for till in first.tills), *(one.password for one in first.staff)}) == 18


def test_what_was_changed_by_hand_is_shown_no_more(runtime: Runtime) -> None:
    demo.load_brand(runtime.database)
    runtime.settings.data_dir.mkdir(parents=True)
    before = demo.logins(runtime)
    with runtime.database.reading() as session:
        brand_id = service.brand_by_slug(session, demo.SLUG).id
    with runtime.database.unit(brand_id) as session:
        tills.new_till_key(session, service.till_by_slug(session, "kallio", "till-1"))
        person = staff.staff_of_brand(session, before.staff[0].email)
        staff.set_password(session, person, "chosen by its owner")

    after = demo.logins(runtime)

    assert (after.tills[0].key, after.staff[0].password) == ("", "")
    assert (after.tills[1:], after.staff[1:]) == (before.tills[1:], before.staff[1:])


def test_a_lost_database_gets_new_keys(runtime: Runtime, settings: Settings) -> None:
    demo.load_brand(runtime.database)
    settings.data_dir.mkdir(parents=True)
    path = settings.data_dir / demo.LOGINS_FILE
    path.write_text(json.dumps({"tills": {"kallio/till-1": "till_old"}, "staff": {}}), encoding="utf-8")

    first = demo.logins(runtime).tills[0]

    assert (first.outlet, first.till) == ("kallio", "till-1")
    assert first.key not in ("", "till_old")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Start `leima run --demo`, wait until it answers, and end it as an operator does."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LEIMA_")}
    environment |= {"LEIMA_DATA_DIR": str(folder), "LEIMA_PORT": str(port), "PYTHONWARNINGS": "default"}
    command = [sys.executable, "-c", "import sys; from app.cli import main; sys.exit(main())", "run", "--demo"]
    with (folder.parent / "out").open("wb") as out:
        process = subprocess.Popen([*command, "--no-history"], env=environment, stdout=out, stderr=out)
    try:
        for _ in range(600):
            assert process.poll() is None, (folder.parent / "out").read_text(encoding="utf-8")
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5).close()
                break
            except OSError:
                time.sleep(0.1)
        yield process
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
    finally:
        process.kill()
        process.wait()


def test_the_demo_starts_names_every_door_and_ends_at_once_when_told(tmp_path: Path) -> None:
    folder, port = tmp_path / "data", free_port()

    with running(folder, port):
        told = _told(tmp_path)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/dev/outbox", timeout=10) as outbox:
            assert outbox.status == 200
    with running(folder, port):
        again = _told(tmp_path)

    base = f"http://127.0.0.1:{port}"
    for address in ("/meri/join", "/till", "/api/v1/openapi.json", "/brand", "/dev/outbox"):
        assert base + address in told
    assert re.search(r"kallio\s+till-1\s+till_[\w-]{32}\s", told)
    assert re.search(r"brand admin\s+iida\.lahti@meri\.example\s+(\w{4}-){3}\w{4}\s", told)
    assert again == told
    for role in ("cashier", "reseller manager"):  # their doors do not open yet
        assert not re.search(rf"^{role}", told, re.MULTILINE)


def _told(folder: Path) -> str:
    """Return what the command printed, once the last line has come."""
    for _ in range(100):
        text = (folder / "out").read_text(encoding="utf-8")
        if "Ctrl+C" in text:
            return text
        time.sleep(0.1)
    raise AssertionError(text)
