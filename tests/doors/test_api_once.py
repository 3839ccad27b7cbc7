"""One key, one effect, one answer: replays, another body, many at once; and a database that is not there."""

import json
import os
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest
from sqlalchemy import event, func, select, text

from app.core import clock
from app.core.db import Database
from app.core.runtime import Runtime
from app.core.settings import Settings
from app.doors import idempotency
from app.ledger.models import LedgerEntry, Purchase
from app.members.models import MemberCode
from app.network import tills
from app.network.models import Answer, Till
from app.wsgi import create_app
from tests.builders import a_brand, a_member
from tests.doors.test_api_errors import refusal
from tests.doors.tillside import TillSide
from tests.wallet.shop import a_program
from tests.walls.rows import rows

REPLAYS = 1000 if os.environ.get("LEIMA_TEST_FULL") == "1" else 50


@pytest.mark.parametrize(
    "what",
    [
        "scans",
        "confirmations",
        "members",
        "purchases",
        "quotes",
        "batches",
        "refunds",
        "reservations",
        "redemptions",
        "reversals",
        "gift-cards",
    ],
)
def test_the_same_key_gets_the_same_bytes_and_does_nothing_more(till: TillSide, what: str) -> None:
    calls: dict[str, Callable[[], tuple[str, dict[str, Any]]]] = {
        "scans": lambda: ("/scans", {"text": till.side.members[1].code}),
        "confirmations": lambda: (f"/scans/{till.scan()}/confirmations", {}),
        "members": lambda: ("/members", {"contact": "till.person@mail.example", "age_confirmed": True}),
        "purchases": lambda: ("/purchases", till.sale()),
        "quotes": lambda: ("/quotes", till.sale()),
        "batches": lambda: ("/batches", {"events": [till.event()]}),
        "refunds": lambda: ("/refunds", {"purchase": till.purchase()}),
        "reservations": lambda: (f"/coupons/{till.coupon()}/reservations", {}),
        "redemptions": lambda: (f"/coupons/{till.coupon()}/redemptions", {}),
        "gift-cards": lambda: ("/gift-cards", till.gift_card_sale()),
        "reversals": lambda: (f"/redemptions/{till.redemption()}/reversals", {}),
    }
    path, body = calls[what]()
    first = till.post(path, body, key="once")
    before = rows(till.file)

    for _replay in range(REPLAYS if what == "purchases" else 5):
        till.forget_tries()
        again = till.post(path, body, key="once")
        assert (again.status_code, again.data, again.mimetype) == (201, first.data, first.mimetype)
        assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert {**rows(till.file), "counter": ""} == {**before, "counter": ""}


def test_the_same_key_with_another_body_or_address_is_a_conflict(till: TillSide) -> None:
    sale = till.sale()
    assert till.post("/purchases", sale, key="once").status_code == 201
    before = rows(till.file)

    for path, body in (
        ("/purchases", {**sale, "total_cents": 1}),
        ("/refunds", sale),
        ("/scans", {"text": "QQQQQQQQ"}),
    ):
        assert refusal(till.post(path, body, key="once")) == (409, "idempotency_key_reused")
    assert rows(till.file) == before


def test_what_is_kept_of_a_body_cannot_be_counted_out_and_a_row_of_before_still_answers(till: TillSide) -> None:
    sale = till.sale()
    first = till.post("/purchases", sale, key="once")
    plain = idempotency.fingerprint(json.dumps(sale).encode())
    with till.database.unit(till.side.brand_id) as session:
        row = session.scalars(select(Answer).where(Answer.key == "once")).one()
        assert plain not in row.body_hash
        row.body_hash = plain

    again = till.post("/purchases", sale, key="once")

    assert (again.status_code, again.data) == (201, first.data)
    assert refusal(till.post("/purchases", {**sale, "total_cents": 1}, key="once")) == (409, "idempotency_key_reused")


def test_another_till_may_use_the_same_key(till: TillSide) -> None:
    first = till.post("/scans", {"text": till.side.members[0].code}, key="once")
    till.key = till.side.tills[1].key
    second = till.post("/scans", {"text": till.side.members[0].code}, key="once")

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.data != second.data
    assert "Idempotent-Replayed" not in second.headers


def test_a_refusal_is_not_kept_so_the_same_key_may_try_again(till: TillSide) -> None:
    sale = till.sale()
    assert till.post("/purchases", {**sale, "scan": "7" * 26}, key="once").status_code == 404
    assert till.post("/purchases", sale, key="once").status_code == 201


def test_a_receipt_is_booked_once_whatever_its_key(till: TillSide) -> None:
    sale = till.sale()
    assert till.post("/purchases", sale).status_code == 201
    assert refusal(till.post("/purchases", sale)) == (409, "receipt_known")


def test_five_copies_of_a_purchase_at_once_have_one_effect(database: Database, settings: Settings) -> None:
    brand_id = a_brand(database)
    with database.unit(brand_id) as session:
        a_program(session)
        member = a_member(session)
        code = session.scalars(select(MemberCode.code).where(MemberCode.member_id == member.id)).one()
        key = tills.new_till_key(session, session.scalars(select(Till)).one())
    app = create_app(Runtime(settings, database))
    sale = {"member": code, "receipt": "R-9", "occurred_at": clock.now().isoformat(), "total_cents": 1300}
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": "once"}
    ready = threading.Barrier(5)

    def send(_copy: int) -> tuple[int, bytes]:
        ready.wait()
        answer = app.test_client().post("/api/v1/purchases", json=sale, headers=headers)
        return answer.status_code, answer.data

    with ThreadPoolExecutor(5) as pool:
        answers = set(pool.map(send, range(5)))

    assert [status for status, _body in answers] == [201]
    with database.reading(brand_id) as session:
        assert session.scalar(select(func.count(Purchase.id))) == 1
        assert session.scalar(select(func.sum(LedgerEntry.amount))) == 3


def test_a_database_that_cannot_be_opened_is_said_so_and_recovers(till: TillSide) -> None:
    sale, away = till.sale(), till.file.with_suffix(".away")
    till.database.engine.dispose()
    before = rows(till.file)
    till.file.rename(away)
    till.file.mkdir()

    down = till.post("/purchases", sale, key="once")
    ready = till.client.get("/readyz")
    till.file.rmdir()
    away.rename(till.file)

    assert refusal(down) == (503, "database_unavailable")
    assert ready.status_code == 503
    assert rows(till.file) == before
    assert till.post("/purchases", sale, key="once").status_code == 201


def test_a_full_disk_is_said_so_and_leaves_nothing_half_done(till: TillSide) -> None:
    sale = till.sale()
    till.database.engine.dispose()
    limit = {"pages": "(SELECT 1)"}

    @event.listens_for(till.database.engine, "connect")
    def _fill(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute(f"PRAGMA max_page_count={limit['pages']}")

    with closing(sqlite3.connect(till.file)) as connection:
        limit["pages"] = str(connection.execute("PRAGMA page_count").fetchone()[0])
    answers = []
    for n in range(60):
        before = rows(till.file)
        answer = till.post("/purchases", {**sale, "receipt": f"F-{n}"}, key=f"full-{n}")
        answers.append(answer)
        if answer.status_code != 201:
            break

    assert refusal(answers[-1]) == (503, "database_unavailable")
    assert {**rows(till.file), "counter": ""} == {**before, "counter": ""}
    limit["pages"] = "1000000"
    till.database.engine.dispose()
    assert till.post("/purchases", {**sale, "receipt": f"F-{n}"}, key=f"full-{n}").status_code == 201


def test_a_file_that_cannot_be_written_is_said_so(till: TillSide) -> None:
    sale = till.sale()
    before = rows(till.file)
    url = f"sqlite:///file:{till.file}?mode=ro&uri=true"
    runtime: Runtime = till.app.extensions["leima"]
    runtime.database = Database(url, till.database.keys)

    answer = till.post("/purchases", sale, key="once")
    runtime.database.close()
    runtime.database = till.database

    assert refusal(answer) == (503, "database_unavailable")
    assert rows(till.file) == before
    assert till.post("/purchases", sale, key="once").status_code == 201


def test_a_reading_session_that_writes_is_a_bug_and_not_a_database_that_is_down(till: TillSide) -> None:
    with pytest.raises(Exception, match="readonly"), till.database.reading() as session:
        session.connection().execute(text("DELETE FROM counter"))
