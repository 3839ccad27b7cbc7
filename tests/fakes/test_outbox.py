"""The demo's outbox: what came is shown newest first, and only the service's own links can be followed."""

import re
import threading
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import StrictUndefined

from app.fakes.outbox import Piece, outbox_blueprint, pieces
from app.fakes.push import FakePush
from app.fakes.store import OutboxStore

BASE = "http://127.0.0.1:8000"


@pytest.fixture
def store() -> OutboxStore:
    return OutboxStore(keep=5)


@pytest.fixture
def client(store: OutboxStore) -> Iterator[FlaskClient]:
    app = Flask(__name__)
    app.jinja_env.undefined = StrictUndefined
    with FakePush(store) as push:
        pages = outbox_blueprint(store, base_url=BASE, stylesheet="/assets/tokens.css", new_phone=push.phone)
        app.register_blueprint(pages)
        yield app.test_client()


def test_page_shows_every_kind_newest_first_with_codes_and_own_links(client: FlaskClient, store: OutboxStore) -> None:
    text = f"Your code is 123456.\n{BASE}/meri/m/abc?x=1. https://evil.example/{BASE}/"
    store.add("email", "aino@example.com", title="Your code", text=text, html="<b>x</b>", facts={"from": "Leima"})
    store.add("sms", "+358401234567", text="@leima.example #654321", facts={"from": "Meri", "parts": 2})
    shown = {"title": "8 of 10", "navigate": f"{BASE}/meri/"}
    store.add("push", "phone", title="8 of 10", facts={"ttl": "60", "notification": shown})

    page = client.get("/dev/outbox").get_data(as_text=True)

    assert page.index("8 of 10") < page.index("654321") < page.index("Your code is")
    assert re.findall(r'class="code">(\d+)<', page) == ["654321", "123456"]
    assert re.findall(r'<a href="(http[^"]+)"', page) == [f"{BASE}/meri/", f"{BASE}/meri/m/abc?x=1"]
    assert "2 parts" in page
    assert "has an HTML part" in page


def test_page_runs_nothing_that_came_and_needs_no_inline_style_or_script(
    client: FlaskClient, store: OutboxStore
) -> None:
    attack = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    facts = {"from": attack, "notification": {"navigate": "javascript:alert(1)"}, "topic": attack}
    for kind in ("email", "sms", "push", "wallet"):
        store.add(kind, attack, title=attack, text=attack, html=attack, facts=facts)  # type: ignore[arg-type]

    page = client.get("/dev/outbox").get_data(as_text=True)

    scripts = re.findall(r"<script[^>]*>", page)
    assert len(scripts) == 1
    assert 'src="/dev/static/outbox.js"' in scripts[0]  # our own, which shows what comes in
    assert "<img" not in page
    assert "<style" not in page
    assert " style=" not in page
    assert "javascript:" not in page
    with client.get("/dev/static/outbox.css") as css:
        assert css.status_code == 200


def test_page_of_one_kind_shows_that_kind(client: FlaskClient, store: OutboxStore) -> None:
    store.add("email", "aino@example.com", title="A mail")
    store.add("sms", "+358401234567", text="A text")

    assert "A mail" not in client.get("/dev/outbox?kind=sms").get_data(as_text=True)
    assert "A mail" in client.get("/dev/outbox?kind=nonsense").get_data(as_text=True)


def test_empty_outbox_says_what_to_do(client: FlaskClient) -> None:
    assert "Nothing yet" in client.get("/dev/outbox").get_data(as_text=True)


def test_json_narrows_down_by_kind_and_recipient(client: FlaskClient, store: OutboxStore) -> None:
    store.add("email", "aino@example.com", title="first")
    store.add("email", "aino@example.com", title="second")
    store.add("email", "eino@example.com", title="third")
    store.add("sms", "aino@example.com", title="fourth")

    found = client.get("/dev/outbox.json?kind=email&to=aino@example.com").get_json()["messages"]

    assert [one["title"] for one in found] == ["second", "first"]


def test_simulated_phone_is_subscribed_on_demand(client: FlaskClient) -> None:
    first, second = client.post("/dev/phones"), client.post("/dev/phones")

    assert first.status_code == 201
    assert set(first.get_json()["keys"]) == {"p256dh", "auth"}
    assert first.get_json()["endpoint"] != second.get_json()["endpoint"]


def test_text_is_cut_into_plain_runs_codes_and_own_links() -> None:
    text = f"Code 123456 ({BASE}/a), 1234567 and order A123456; {BASE}.evil.example/ {BASE}"

    found = pieces(text, BASE)

    assert "".join(piece.text for piece in found) == text
    assert [piece for piece in found if piece.href] == [
        Piece(f"{BASE}/a", href=f"{BASE}/a"),
        Piece(BASE, href=BASE),
    ]
    assert [piece.text for piece in found if piece.code] == ["123456"]


def test_store_keeps_the_newest_and_its_numbers_go_on(store: OutboxStore) -> None:
    for number in range(1, 8):
        store.add("sms", "+358401234567", text=str(number))
    store.clear()
    store.add("sms", "+358401234567", text="8")

    assert [(one.number, one.text) for one in store.newest()] == [(8, "8")]


def test_store_is_bounded(store: OutboxStore) -> None:
    for number in range(20):
        store.add("sms", "+358401234567", text=str(number))

    assert [one.text for one in store.newest()] == ["19", "18", "17", "16", "15"]


def test_waiting_ends_when_the_message_comes_and_when_time_is_up(store: OutboxStore) -> None:
    later = threading.Timer(0.05, store.add, ("sms", "+358401234567"), {"text": "here"})
    later.start()

    assert store.wait_for(lambda one: one.text == "here", seconds=5).text == "here"
    with pytest.raises(TimeoutError):
        store.wait_for(lambda one: one.text == "never", seconds=0.05)
    later.join()
