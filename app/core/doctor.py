"""What `leima doctor` looks at: settings, database, disk and jobs. It reads, and changes nothing."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select

from app.core import clock, migrations
from app.core.db import Database
from app.core.jobs import Job
from app.core.settings import Settings

LEAST_FREE = 500_000_000  # bytes
NO_MESSAGES = "neither LEIMA_SMTP_URL nor LEIMA_SMS_URL is set, so no member gets a code to confirm or to sign in"
LATEST = timedelta(minutes=5)  # that a due job may wait before nobody seems to work


@dataclass(frozen=True)
class Finding:
    """One thing looked at; `fine` is False when somebody must do something."""

    fine: bool
    what: str
    detail: str


def diagnose(settings: Settings, database: Database) -> list[Finding]:
    """Return everything that was looked at, good and bad."""
    found = [*_address(settings), *_messages(settings), *_files(settings), *_disk(settings)]
    current = migrations.is_current(database)
    found.append(Finding(current, "schema", "the newest" if current else "old: run `leima migrate`"))
    return [*found, *_jobs(database)] if current else found


def _address(settings: Settings) -> Iterator[Finding]:
    public = settings.secure or settings.demo
    note = "" if public else ", which only this machine can open; set LEIMA_BASE_URL to the public https address"
    yield Finding(public, "base URL", settings.base_url + note)


def _messages(settings: Settings) -> Iterator[Finding]:
    ways = [name for name, url in (("email", settings.smtp_url), ("SMS", settings.sms_url)) if url]
    yield Finding(bool(ways), "messages", " and ".join(ways) or NO_MESSAGES)


def _files(settings: Settings) -> Iterator[Finding]:
    for name in ("vapid_key_file", "apple_certificate", "apple_key", "apple_wwdr", "google_service_account"):
        path = getattr(settings, name)
        if path is None:
            yield Finding(True, name, "not set")
        else:
            readable = path.is_file() and os.access(path, os.R_OK)
            yield Finding(readable, name, "readable" if readable else "cannot be read")


def _disk(settings: Settings) -> Iterator[Finding]:
    folder = settings.data_dir
    writable = folder.is_dir() and os.access(folder, os.W_OK)
    yield Finding(writable, "data directory", "writable" if writable else "missing, or not writable")
    if writable:
        free = shutil.disk_usage(folder).free
        yield Finding(free >= LEAST_FREE, "free disk", f"{free / 1e9:.1f} GB")


def _jobs(database: Database) -> Iterator[Finding]:
    now = clock.now()
    with database.reading() as session:
        dead = session.scalar(select(func.count()).select_from(Job).where(Job.state == "dead")) or 0
        oldest = session.scalar(select(func.min(Job.run_at)).where(Job.state == "queued", Job.run_at <= now))
    yield Finding(dead == 0, "dead jobs", str(dead))
    late = now - oldest if oldest else timedelta()
    detail = f"the oldest due job waits for {int(late.total_seconds())} s"
    yield Finding(late <= LATEST, "worker", detail if late <= LATEST else f"{detail}: does `leima work` run?")
