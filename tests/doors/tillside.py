"""A till with its key over a copy of the two brands, and real things to name: scans, purchases, coupons."""

import itertools
import re
import shutil
import sqlite3
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import select
from werkzeug.test import TestResponse

from app.core import clock
from app.core.runtime import Runtime
from app.core.web import LeimaFlask
from app.members.models import Member
from app.network.models import Brand
from app.rewards import service as rewards
from tests.apps import Client, a_client, the_app
from tests.builders import NO_LIMITS
from tests.databases import a_database
from tests.walls.world import SERIAL, SERIAL_CENTS, World

_numbers = itertools.count(1)


class Unlisted(AssertionError):
    """The till API answered what its document does not say of the operation."""


def demand_listed(document: dict[str, Any], address: str, status: int, code: str, method: str = "post") -> None:
    """Compare a refusal with the document; an address that is no operation's may say what it likes.

    Raises:
        Unlisted: the operation lists no such status, or not this code of it.
    """
    for template, path in document["paths"].items():
        if re.fullmatch(re.sub(r"{\w+}", "[^/]+", template), address):
            response = path.get(method, {"responses": {}})["responses"].get(str(status))
            if response is None:
                raise Unlisted(f"{address} answers {status}")
            listed = response["content"]["application/problem+json"]["schema"]["allOf"][1]["properties"]["code"]
            if code not in listed["enum"]:
                raise Unlisted(f"{address} answers {status} {code}")


@lru_cache(maxsize=1)
def _document(app: LeimaFlask) -> dict[str, Any]:
    found: dict[str, Any] = app.test_client().get("/api/v1/openapi.json").get_json()
    return found


class _Client(Client):
    """Compares each refusal of a call with the document, whichever test made it."""

    def open(self, *args: Any, **values: Any) -> TestResponse:
        response = super().open(*args, **values)
        if response.mimetype == "application/problem+json" and response.request.method in ("POST", "GET"):
            assert response.json is not None
            document, asked = _document(self.application), response.request
            demand_listed(document, asked.path, response.status_code, response.json["code"], asked.method.lower())
        return response


class TillSide:
    """One cash register and what it may name. Its caller moves the clock to the world's moment."""

    def __init__(self, world: World, file: Path, *, app: LeimaFlask | None = None) -> None:
        """Copy the world to `file` and serve it, by an application that is there already if one is given."""
        shutil.copy(world.path, file)
        self.file, self.side = file, world.here
        self.database = a_database(f"sqlite:///{file}", world.settings.keyring())
        runtime = Runtime(world.settings, self.database)
        self.client = a_client(runtime, _Client)
        self.app = app or the_app()
        self.app.extensions["leima"] = runtime
        self.key = self.side.tills[0].key
        self._counter = sqlite3.connect(file, isolation_level=None)

    def close(self) -> None:
        self._counter.close()
        self.database.close()

    def document(self) -> dict[str, Any]:
        """Return the API's own description."""
        return _document(self.app)

    def headers(self, key: str | None = None) -> dict[str, str]:
        """Return what every call carries: the till key and a fresh Idempotency-Key, or the given one."""
        return {"Authorization": f"Bearer {self.key}", "Idempotency-Key": key or f"call-{next(_numbers)}"}

    def post(self, path: str, body: Any, *, key: str | None = None, **more: Any) -> TestResponse:
        """Post JSON to the API."""
        return self.client.post(f"/api/v1{path}", json=body, headers=self.headers(key), **more)

    def get(self, path: str) -> TestResponse:
        """Look at something of the API."""
        return self.client.get(f"/api/v1{path}", headers=self.headers())

    def scan(self) -> str:
        """Return a scan of the first member's static code."""
        return self.scan_anew()

    def scan_anew(self) -> str:
        """Scan the first member's static code; return a scan that nobody has used or changed."""
        found: str = self.post("/scans", {"text": self.side.members[0].code}).json["scan"]  # type: ignore[index]
        return found

    def newcomer(self) -> str:
        """Sign somebody up who has no card yet; return the scan."""
        self.forget_tries()
        person = {"contact": f"newcomer-{next(_numbers)}@mail.example", "age_confirmed": True}
        found: str = self.post("/members", person).json["scan"]  # type: ignore[index]
        return found

    def sale(self, **fields: Any) -> dict[str, Any]:
        """Return a purchase that may be booked, by a receipt that no till has had."""
        now = clock.now().isoformat()
        sale = {"receipt": f"N-{next(_numbers)}", "occurred_at": now, "total_cents": 4000, **fields}
        return sale if "member" in sale else {"scan": self.scan(), **sale}

    def gift_card_sale(self, **fields: Any) -> dict[str, Any]:
        """Return the sale of a gift card of 50.00, by a receipt that no till has had."""
        now = clock.now().isoformat()
        sale = {"reward": "gift-card", "value_cents": 5000, "receipt": f"G-{next(_numbers)}", "occurred_at": now}
        return {**sale, **fields}

    def event(self, **fields: Any) -> dict[str, Any]:
        """Return a sale as an offline till keeps it."""
        sale = self.sale(**fields)
        return {
            "key": f"event-{next(_numbers)}", "occurred_at": sale["occurred_at"], "call": "/purchases", "body": sale,
        }  # fmt: skip

    def purchase(self) -> str:
        """Book a purchase that fills a card; return it."""
        found: str = self.post("/purchases", self.sale()).json["purchase"]  # type: ignore[index]
        return found

    def coupon(self) -> str:
        """Return the code of a coupon that nobody has used; fills a card first."""
        self.purchase()
        with self.database.reading(self.side.brand_id) as session:
            wanted = select(Member.id).where(Member.public_id == self.side.members[0].public_id)
            views = rewards.of_member(session, session.scalars(wanted).one())
        return next(view.code for view in views if view.usable)

    def redemption(self) -> str:
        """Redeem a coupon; return the use."""
        found: str = self.post(f"/coupons/{self.coupon()}/redemptions", {}).json["redemption"]  # type: ignore[index]
        return found

    def redeeming_scan(self) -> str:
        """Scan the first member's code as if it were the moving one of this moment; return the scan."""
        scan = self.scan_anew()
        with closing(sqlite3.connect(self.file)) as connection, connection:
            connection.execute(
                "UPDATE scan SET may_redeem = 1, method = 'rotating', note = NULL WHERE public_id = ?", (scan,)
            )
        return scan

    def serial_sale(self) -> dict[str, Any]:
        """Return a serial card that may be sold, by a receipt that no till has had."""
        sale = {"program": SERIAL, "price_cents": SERIAL_CENTS, "receipt": f"S-{next(_numbers)}"}
        return {**sale, "scan": self.scan(), "occurred_at": clock.now().isoformat()}

    def serial_card(self) -> str:
        """Sell a serial card; return it."""
        answer = self.post("/serial-cards", self.serial_sale())
        assert answer.status_code == 201, answer.text
        found: str = answer.json["serial_card"]  # type: ignore[index]
        return found

    def serial_uses(self) -> dict[str, Any]:
        """Return a use that may be made; sells a card first."""
        self.serial_card()
        return {"scan": self.redeeming_scan(), "program": SERIAL}

    def serial_use(self) -> str:
        """Use a serial card once; return the use."""
        found: str = self.post("/serial-cards/uses", self.serial_uses()).json["uses"][0]["use"]  # type: ignore[index]
        return found

    def lift_limits(self) -> None:
        """Let the first member buy as often as a test calls, whatever the brand allows in a day."""
        with self.database.unit(self.side.brand_id) as session:
            session.get_one(Brand, self.side.brand_id).limits = NO_LIMITS

    def forget_tries(self) -> None:
        """Let all counted tries be over, so that the next call is not refused for those before it."""
        if self._counter.execute("SELECT EXISTS (SELECT 1 FROM counter)").fetchone() == (1,):
            self._counter.execute("DELETE FROM counter")
