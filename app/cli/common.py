"""What the commands share: how they speak, how they open the database, how they ask for a secret."""

import getpass
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from app import registry
from app.core import migrations
from app.core import settings as core_settings
from app.core.db import Database
from app.core.errors import Conflict, Invalid
from app.core.runtime import Runtime
from app.core.settings import Settings
from app.network import service as network

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


class SchemaOld(Conflict):
    """The command needs the newest schema."""

    code = "schema_old"


class PasswordsDiffer(Invalid):
    """The password was typed in two ways."""

    code = "passwords_differ"


def refuse(headline: str, lines: list[str]) -> int:
    """Say what is wrong, and return the exit code."""
    err.print(f"leima: {headline}", style="bold red", markup=False, soft_wrap=True)
    for line in lines:
        err.print(f"  {line}", markup=False, soft_wrap=True)
    return 1


@contextmanager
def opened(settings: Settings | None = None) -> Iterator[Runtime]:
    """Open the database that the settings name, and know every job."""
    settings = settings or core_settings.load()
    if settings.url.startswith("sqlite"):
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    registry.load()
    runtime = Runtime.open(settings)
    try:
        runtime.database.check()
        yield runtime
    finally:
        runtime.database.close()


def demand_schema(database: Database) -> None:
    """Refuse to work on a database that is not migrated.

    Raises:
        SchemaOld
    """
    if not migrations.is_current(database):
        raise SchemaOld("The database is not at the newest schema; run `leima migrate` first.")


def brand_id_of(database: Database, slug: str) -> int:
    """Return a brand by its slug. Raises BrandUnknown."""
    with database.reading() as session:
        return network.brand_by_slug(session, slug).id


def ask_password(prompt: str = "New password: ") -> str:
    """Ask for a new password or PIN, twice on a terminal; else read the first line of the input.

    Raises:
        PasswordsDiffer
    """
    password = ask_secret(prompt)
    if sys.stdin.isatty() and getpass.getpass("Once more: ") != password:
        raise PasswordsDiffer("What was typed differs; nothing was changed.")
    return password


def ask_secret(prompt: str) -> str:
    """Ask for a secret on a terminal without showing it; else read the first line of the input."""
    if sys.stdin.isatty():
        return getpass.getpass(prompt)
    return sys.stdin.readline().rstrip("\r\n")
