"""The running service for browser tests: `leima run --demo` in a process of its own, on a free port."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

START_SECONDS = 60


def free_port() -> int:
    """Return a port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@dataclass
class Service:
    """The demo, started and stopped as an operator would; its data stay in `folder` over a restart."""

    folder: Path
    port: int = field(default_factory=free_port)
    settings: dict[str, str] = field(default_factory=dict)  # beside those that every test needs
    process: subprocess.Popen[bytes] | None = None

    @property
    def base(self) -> str:
        """Return the address that pages are opened on."""
        return f"http://localhost:{self.port}"

    def start(self) -> None:
        """Start and wait until it is ready."""
        known = {name: value for name, value in os.environ.items() if not name.startswith("LEIMA_")}
        settings = {
            "LEIMA_PORT": str(self.port),
            "LEIMA_BASE_URL": self.base,
            "LEIMA_DATA_DIR": str(self.folder / "data"),
        }
        settings |= self.settings
        self.folder.mkdir(parents=True, exist_ok=True)
        log = (self.folder / "service.log").open("ab")
        command = [str(Path(sys.executable).with_name("leima")), "run", "--demo", "--no-history"]
        self.process = subprocess.Popen(command, env={**known, **settings}, stdout=log, stderr=log)
        log.close()
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Ask until the service answers; an early end or a minute of silence is an error with its log."""
        assert self.process is not None
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and self.process.poll() is None:
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.base}/readyz", timeout=2) as answer:
                if answer.status == 200 and (self.folder / "data" / "logins.json").exists():
                    return
            time.sleep(0.1)
        raise AssertionError(f"the service did not start:\n{(self.folder / 'service.log').read_text()[-4000:]}")

    def stop(self) -> None:
        """Stop as systemd would."""
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(20)
            self.process = None

    def till_key(self, outlet: str) -> str:
        """Return the key of an outlet's first till."""
        logins = json.loads((self.folder / "data" / "logins.json").read_text())
        keys = {name: key for name, key in logins["tills"].items() if name.startswith(f"{outlet}/")}
        return str(next(iter(keys.values())))

    def staff(self) -> dict[str, Any]:
        """Return the passwords of the demo's staff by email."""
        logins = json.loads((self.folder / "data" / "logins.json").read_text())
        found: dict[str, Any] = logins["staff"]
        return found

    def outbox(self, kind: str = "") -> list[dict[str, Any]]:
        """Return what the fakes received, newest first."""
        with urllib.request.urlopen(f"{self.base}/dev/outbox.json?kind={kind}", timeout=5) as answer:
            found = json.load(answer)
        messages: list[dict[str, Any]] = found["messages"] if isinstance(found, dict) else found
        return messages
