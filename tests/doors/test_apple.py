"""Apple's web service over HTTP: the answers that iOS acts on, byte for byte."""

import io
import json
import zipfile
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from app.cards import merge
from app.core import clock
from app.core.db import Database
from app.core.settings import Settings
from app.fakes.wallet_chain import WalletChain, wallet_chain
from app.members.models import Member
from app.network.models import Brand
from app.wallet.models import WalletDevice, WalletFault, WalletPass
from tests.apps import a_client
from tests.builders import a_member
from tests.wallet.shop import Shop, a_shop, face

PHONE, TOKEN = "d" * 32, "a1" * 32


class Phone:
    """What a phone sends, through the WSGI application."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.client: FlaskClient = a_client(shop.runtime)
        made = shop.apple()
        shown = face(made)
        self.type, self.serial = shown["passTypeIdentifier"], shown["serialNumber"]
        self.made, self.token = made, shown["authenticationToken"]
        self.home = shown["webServiceURL"].removeprefix("http://localhost:8000") + "/v1"

    def call(self, method: str, path: str, *, token: str | None = "own", **sent: Any) -> TestResponse:
        headers = dict(sent.pop("headers", {}))
        if token is not None:
            headers["Authorization"] = f"ApplePass {self.token if token == 'own' else token}"
        return self.client.open(f"{self.home}{path}", method=method, headers=headers, **sent)

    def registration(self, device: str = PHONE) -> str:
        return f"/devices/{device}/registrations/{self.type}/{self.serial}"

    def register(self, **sent: Any) -> TestResponse:
        return self.call("POST", self.registration(), json={"pushToken": TOKEN}, **sent)

    def list(self, tag: str | None = None) -> TestResponse:
        query = {"passesUpdatedSince": tag} if tag is not None else {}
        return self.call("GET", f"/devices/{PHONE}/registrations/{self.type}", token=None, query_string=query)

    def fetch(self, **headers: str) -> TestResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.call("GET", f"/passes/{self.type}/{self.serial}", headers=named)


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> WalletChain:
    return wallet_chain(tmp_path_factory.mktemp("wallet") / "chain")


@pytest.fixture
def phone(database: Database, settings: Settings, chain: WalletChain) -> Phone:
    """A phone on each database."""
    return Phone(a_shop(database, settings, chain))


@pytest.fixture
def one(sqlite: Database, settings: Settings, chain: WalletChain) -> Phone:
    """A phone where the kind of database makes no difference."""
    return Phone(a_shop(sqlite, settings, chain))


def balance(body: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        shown = json.loads(archive.read("pass.json"))
    found: str = shown["storeCard"]["headerFields"][0]["value"]
    return found


def test_registration_is_created_once_and_ended_twice(phone: Phone) -> None:
    assert [phone.register().status_code for _time in range(3)] == [201, 200, 200]
    assert [phone.call("DELETE", phone.registration()).status_code for _time in range(2)] == [200, 200]
    assert phone.register().status_code == 201


def test_list_names_what_changed_and_then_nothing(phone: Phone) -> None:
    phone.register()

    first = phone.list()

    assert (first.status_code, first.json and first.json["serialNumbers"]) == (200, [phone.serial])
    assert first.json is not None
    again = phone.list(first.json["lastUpdated"])
    assert (again.status_code, again.data) == (204, b"")
    assert phone.list("garbage").status_code == 200


def test_fetch_is_served_plain_with_its_type_and_then_not_modified(phone: Phone) -> None:
    made = phone.fetch(Accept_Encoding="gzip, deflate, br")

    assert made.status_code == 200
    assert made.mimetype == "application/vnd.apple.pkpass"
    assert "Content-Encoding" not in made.headers
    assert "no-transform" in made.headers["Cache-Control"]
    assert balance(made.data) == "0/5"
    assert phone.fetch(If_Modified_Since=made.headers["Last-Modified"]).status_code == 304
    assert phone.fetch(If_None_Match=made.headers["ETag"]).status_code == 304
    assert phone.fetch(If_Modified_Since="yesterday, or so").status_code == 200


def test_last_modified_increases_by_a_second_at_least_for_changes_within_one(phone: Phone) -> None:
    with clock.moved(to=clock.now().replace(microsecond=0)):
        moments = [phone.fetch().last_modified]
        for receipt in range(4):
            phone.shop.buy(str(receipt))
            answer = phone.fetch(If_Modified_Since=phone_date(moments[-1]))
            assert answer.status_code == 200
            assert balance(answer.data) == f"{receipt + 1}/5"
            moments.append(answer.last_modified)

    assert all(one is not None and other is not None and one < other for one, other in pairwise(moments))


def phone_date(moment: Any) -> str:
    """Write a moment as HTTP does."""
    return str(moment.strftime("%a, %d %b %Y %H:%M:%S GMT"))


@pytest.mark.parametrize("call", ["POST", "DELETE", "GET"])
@pytest.mark.parametrize("token", ["", "x" * 32, None])
def test_wrong_token_is_401_everywhere(one: Phone, call: str, token: str | None) -> None:
    path = f"/passes/{one.type}/{one.serial}" if call == "GET" else one.registration()

    answer = one.call(call, path, token=token, json={"pushToken": TOKEN} if call == "POST" else None)

    assert answer.status_code == 401
    assert answer.mimetype == "application/problem+json"
    assert answer.json is not None
    assert answer.json["code"] == "wallet_pass_unknown"


@pytest.mark.parametrize("body", [None, {}, [], {"pushToken": ""}, {"pushToken": 7}, {"pushToken": None}, "text"])
def test_registration_without_a_token_is_400_and_keeps_nothing(one: Phone, body: Any) -> None:
    answer = one.call("POST", one.registration(), json=body)

    assert answer.status_code == 400
    with one.shop.runtime.database.reading(one.shop.brand_id) as session:
        assert session.scalars(select(WalletDevice)).all() == []


def test_pass_of_another_type_is_401(one: Phone) -> None:
    assert one.call("GET", f"/passes/pass.other/{one.serial}").status_code == 401


def test_unknown_phone_has_nothing(one: Phone) -> None:
    assert one.list().status_code == 204


def test_unknown_brand_is_404(one: Phone) -> None:
    assert one.client.get("/wallet/nobrand/v1/devices/x/registrations/y").status_code == 404


def test_logs_of_phones_are_counted_and_their_words_kept_nowhere(one: Phone) -> None:
    secret = "SECRETSERIAL0123456789"
    with capture_logs() as said:
        answer = one.call(
            "POST", "/log", token=None,
            json={"logs": [f"Get pass task {secret}: request timed out", f"Register {secret}: unauthorized", 7]},
        )  # fmt: skip

    assert answer.status_code == 200
    assert secret not in str(said)
    with one.shop.runtime.database.reading(one.shop.brand_id) as session:
        found = {row.code: row.n for row in session.scalars(select(WalletFault))}
    assert found == {"phone_authentication": 1, "phone_not_reachable": 1}


@pytest.mark.parametrize("body", [None, [], {"logs": None}, {"logs": [None, {}, 1]}, {"logs": ["x" * 60_000]}])
def test_strange_logs_are_taken_without_harm(one: Phone, body: Any) -> None:
    assert one.call("POST", "/log", token=None, json=body).status_code == 200


def test_flood_of_logs_is_limited(one: Phone) -> None:
    statuses = [one.call("POST", "/log", token=None, json={"logs": []}).status_code for _time in range(31)]

    assert (statuses[:30], statuses[30]) == ([200] * 30, 429)


def test_change_without_an_event_is_served_and_told_to_the_other_phones(one: Phone) -> None:
    one.register()
    seen = one.fetch()
    one.shop.change(lambda session: _repaint(session, one.shop.brand_id))

    answer = one.fetch(If_Modified_Since=seen.headers["Last-Modified"])

    assert answer.status_code == 200
    assert answer.headers["ETag"] != seen.headers["ETag"]
    with one.shop.runtime.database.reading(one.shop.brand_id) as session:
        (phone,) = session.scalars(select(WalletDevice))
        (row,) = session.scalars(select(WalletPass))
    assert phone.due == row.version


def _repaint(session: Any, brand_id: int) -> None:
    session.get_one(Brand, brand_id).brand_color = "#102040"


def test_merge_shows_the_card_that_stays_on_the_old_pass(one: Phone) -> None:
    one.shop.buy("1", cents=800)

    def absorb(session: Any) -> None:
        kept = a_member(session, first_name="Kaisla")
        merge.absorb(session, session.get_one(Member, one.shop.member_id), into=kept)

    one.shop.change(absorb)

    answer = one.fetch()
    assert balance(answer.data) == "2/5"


def test_certificate_that_expired_is_503_with_its_code_and_the_phone_is_woken_after_the_repair(phone: Phone) -> None:
    phone.register()
    with phone.shop.runtime.database.unit(phone.shop.brand_id) as session:
        for row in session.scalars(select(WalletDevice)):
            row.woken = row.due
    years = timedelta(days=365 * 30)
    with clock.moved(by=years):
        answer = phone.fetch()
        assert answer.status_code == 503
        assert answer.json is not None
        assert answer.json["code"] == "wallet_certificate_expired"
        assert [phone.fetch().status_code for _time in range(3)] == [503] * 3

    with phone.shop.runtime.database.reading(phone.shop.brand_id) as session:
        (device,) = session.scalars(select(WalletDevice))
        (row,) = session.scalars(select(WalletPass))
    assert device.due == row.version > device.woken
    assert phone.list().status_code == 200
    assert phone.fetch().status_code == 200
