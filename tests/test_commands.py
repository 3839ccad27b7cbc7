"""The `leima` command in a process of its own: what stops it, what it warns of, and its codes."""

import base64
import os
import subprocess
from pathlib import Path

import pytest

from tests.commands import run_leima


def leima(folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own, on a database without any schema."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LEIMA_")}
    environment |= {"LEIMA_DATA_DIR": str(folder), "LEIMA_SECRET_KEY": "a secret of the tests, long enough"}
    environment |= {"LEIMA_ENCRYPTION_KEYS": "test:" + base64.b64encode(b"k" * 32).decode(), **more}
    return run_leima(arguments, environment)


@pytest.mark.parametrize("command", [["apply", "brand.toml"], ["serve"]])
def test_a_command_before_the_first_migration_says_so_with_its_code(tmp_path: Path, command: list[str]) -> None:
    told = leima(tmp_path, *command)

    assert told.returncode == 1
    assert "run `leima migrate` first. (schema_old)" in told.stderr


@pytest.mark.parametrize(
    "more", [{}, {"LEIMA_SMTP_URL": "smtp://127.0.0.1"}, {"LEIMA_SMS_URL": "https://sms.example/"}]
)
def test_a_service_that_can_send_no_code_says_so_at_its_start(tmp_path: Path, more: dict[str, str]) -> None:
    told = leima(tmp_path, "serve", **more)

    assert ("neither LEIMA_SMTP_URL nor LEIMA_SMS_URL is set" in told.stderr) is not bool(more)


@pytest.mark.parametrize("command", ["run", "serve", "work"])
def test_missing_secrets_are_named_together_with_other_faults(tmp_path: Path, command: str) -> None:
    told = leima(tmp_path, command, LEIMA_THREADS="many", LEIMA_SECRET_KEY="", LEIMA_ENCRYPTION_KEYS="").stderr

    assert all(name in told for name in ("LEIMA_THREADS", "LEIMA_SECRET_KEY", "LEIMA_ENCRYPTION_KEYS"))


def test_every_fault_of_the_settings_is_named_at_once(tmp_path: Path) -> None:
    faulty = {"LEIMA_PORT": "many", "LEIMA_BASE_URL": "http://leima.example", "LEIMA_SMS": "1"}

    told = leima(tmp_path, "migrate", LEIMA_SECRET_KEY="", LEIMA_ENCRYPTION_KEYS="", **faulty)

    assert told.returncode == 1
    assert all(name in told.stderr for name in (*faulty, "LEIMA_SECRET_KEY", "LEIMA_ENCRYPTION_KEYS"))


@pytest.mark.parametrize(
    ("url", "code"), [("sqlite:////no/such/folder/leima.db", "database_unavailable"), ("foo", "LEIMA_DATABASE_URL")]
)
def test_a_database_that_cannot_be_opened_is_a_clear_error(tmp_path: Path, url: str, code: str) -> None:
    told = leima(tmp_path, "doctor", LEIMA_DATABASE_URL=url)

    assert told.returncode == 1
    assert code in told.stderr
    assert "Traceback" not in told.stderr
