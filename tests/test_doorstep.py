"""What is turned away at the doorstep: strange bytes, strange hosts, planted cookies, other spellings of a file."""

import os
import stat
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from threading import Thread

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.core import web
from app.core.crypto import Keyring
from app.core.db import Database
from app.core.runtime import Runtime
from app.core.settings import Settings, SettingsError, load
from app.core.web.pages import _packed, tree_hash
from app.core.web.server import listen
from app.wsgi import create_app
from tests.apps import a_client
from tests.builders import a_brand

SAME = {"Origin": "http://localhost:8000"}


@pytest.fixture
def client(runtime: Runtime) -> FlaskClient:
    a_brand(runtime.database)
    return a_client(runtime)


@pytest.mark.parametrize("path", ["/%00abc/join", "/meri/join?source=%00", "/meri/terms?lang=%00"])
def test_nul_in_an_address_is_refused(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 400


def test_nul_in_a_form_is_refused(client: FlaskClient) -> None:
    form = {"contact": "a@example.com", "age": "1", "source": "outlet:\0"}
    assert client.post("/meri/join", data=form, headers=SAME).status_code == 400


def test_missing_slash_leads_within_the_host_whatever_host_was_named(client: FlaskClient) -> None:
    answer = client.get("/meri?lang=sv", headers={"Host": "localhost:9"})
    assert (answer.status_code, answer.headers["Location"]) == (308, "/meri/?lang=sv")


def test_demo_answers_to_its_own_names_only(client: FlaskClient) -> None:
    hosts = ("localhost:8000", "127.0.0.1:8000", "[::1]:8000", "evil.example", "localhost.evil.example:8000")
    assert [client.get("/healthz", headers={"Host": host}).status_code for host in hosts] == [200, 200, 200, 400, 400]


def test_planted_remember_cookie_changes_nothing(client: FlaskClient) -> None:
    client.set_cookie("remember_token", "1|abc")
    assert client.get("/meri/terms").status_code == 200


def test_only_the_one_spelling_of_a_file_is_served_and_remembered(client: FlaskClient) -> None:
    _packed.cache_clear()
    gzip = {"Accept-Encoding": "gzip"}
    good = client.get(f"/assets/{tree_hash()}/member.css", headers=gzip)
    odd = [
        f"/assets/{tree_hash()}/{path}" for path in ("vendor/../member.css", "./member.css", "vendor//../member.css")
    ]

    assert good.status_code == 200
    assert [client.get(path, headers=gzip).status_code for path in odd] == [404, 404, 404]
    assert _packed.cache_info().currsize == 1


def test_address_of_a_household_is_one(runtime: Runtime) -> None:
    app: Flask = create_app(runtime)
    seen = []
    for address in ("10.0.0.1", "::ffff:10.0.0.1", "2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:db8:1:3::1"):
        with app.test_request_context("/", environ_base={"REMOTE_ADDR": address}):
            seen.append(web.client_address())

    assert seen == ["10.0.0.1", "10.0.0.1", "2001:db8:1:2::/64", "2001:db8:1:2::/64", "2001:db8:1:3::/64"]


def test_environment_cannot_ask_for_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEIMA_DEMO", "1")
    with pytest.raises(SettingsError, match="LEIMA_SECRET_KEY"):
        load()


def test_database_file_is_its_owners_only(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        database = Database(f"sqlite:///{tmp_path}/leima.db", Keyring({"k": b"k" * 32}, b"secret"))
        with database.unit() as session:
            session.connection().exec_driver_sql("CREATE TABLE t (x)")
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
        database.close()
    finally:
        os.umask(before)

    assert modes == dict.fromkeys(("leima.db", "leima.db-wal", "leima.db-shm"), 0o600)


@pytest.fixture
def server(runtime: Runtime) -> Iterator[int]:
    """The application behind waitress; its port."""
    given = runtime.settings.model_dump() | {"port": 0, "host": "127.0.0.1"}
    served = listen(create_app(runtime), Settings(**given))
    thread = Thread(target=served.run, daemon=True)
    thread.start()
    yield served.effective_port
    served.close()
    thread.join(5)


def test_hundreds_of_open_cards_do_not_lock_the_tills_out(server: int) -> None:
    idle = [HTTPConnection("127.0.0.1", server, timeout=10) for _card in range(150)]
    for connection in idle:
        connection.connect()

    till = HTTPConnection("127.0.0.1", server, timeout=10)
    till.request("GET", "/healthz")
    status = till.getresponse().status

    for connection in (*idle, till):
        connection.close()
    assert status == 200


def test_readiness_really_writes_each_time(client: FlaskClient, runtime: Runtime) -> None:
    for _look in range(3):
        assert client.get("/readyz").status_code == 200

    with runtime.database.reading() as session:
        written = session.connection().exec_driver_sql("SELECT n FROM counter WHERE key = 'readyz'").scalar()
    assert written == 3
