"""`leima doctor` finds what is wrong, and finds nothing in a healthy installation."""

from datetime import timedelta
from pathlib import Path

import pytest

from app.core import clock
from app.core.crypto import Keyring
from app.core.db import Database
from app.core.doctor import diagnose
from app.core.jobs import Job
from app.core.settings import Settings


def wrong(settings: Settings, database: Database) -> dict[str, str]:
    return {finding.what: finding.detail for finding in diagnose(settings, database) if not finding.fine}


@pytest.mark.parametrize(("way", "url"), [("smtp_url", "smtp://127.0.0.1"), ("sms_url", "https://sms.example/")])
def test_a_healthy_installation_has_nothing_wrong(database: Database, settings: Settings, way: str, url: str) -> None:
    settings.data_dir.mkdir(parents=True)

    assert wrong(settings.model_copy(update={way: url}), database) == {}


def test_without_mail_and_sms_nobody_gets_a_code(sqlite: Database, settings: Settings) -> None:
    settings.data_dir.mkdir(parents=True)

    found = wrong(settings, sqlite)

    assert found.keys() == {"messages"}
    assert "LEIMA_SMTP_URL" in found["messages"]
    assert "LEIMA_SMS_URL" in found["messages"]


def test_dead_and_waiting_jobs_are_found(database: Database, settings: Settings) -> None:
    settings.data_dir.mkdir(parents=True)
    then = clock.now() - timedelta(minutes=30)
    with database.unit() as session:
        for state in ("dead", "queued"):
            session.add(Job(name="a.b", arguments="{}", state=state, created_at=then, run_at=then, priority=5))

    found = wrong(settings, database)

    assert found["dead jobs"] == "1"
    assert "leima work" in found["worker"]


def test_an_empty_database_a_missing_folder_and_a_missing_key_are_found(tmp_path: Path) -> None:
    keys = Keyring({"test": b"k" * 32}, b"a look-up secret for the tests only")
    database = Database(f"sqlite:///{tmp_path / 'empty.db'}", keys)
    key = tmp_path / "pass.key"
    key.touch()
    settings = Settings(demo=True, data_dir=tmp_path / "none", apple_key=key, smtp_url="smtp://127.0.0.1")
    key.unlink()  # after the start

    found = wrong(settings, database)
    database.close()

    assert found.keys() == {"schema", "data directory", "apple_key"}


@pytest.mark.parametrize(
    ("base_url", "fine"), [("http://localhost:8000", False), ("https://kortti.meri.example", True)]
)
def test_outside_the_demo_only_a_public_address_is_fine(
    sqlite: Database, tmp_path: Path, base_url: str, fine: bool
) -> None:
    secrets = {"secret_key": "s" * 40, "encryption_keys": "a:" + "A" * 43 + "="}
    settings = Settings(data_dir=tmp_path, base_url=base_url, **secrets)

    assert ("base URL" not in wrong(settings, sqlite)) is fine
