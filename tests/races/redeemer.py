"""A process of its own that redeems coupons at several tills at once: by code, on a basket, and after a hold."""

import random
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, current_app
from flask.testing import FlaskClient
from sqlalchemy import text, update
from sqlalchemy.orm import Session

from app import registry
from app.core import clock, log
from app.core.runtime import Runtime
from app.core.settings import Settings
from app.doors import idempotency
from app.network.models import Till
from app.rewards import redeeming
from app.rewards import service as rewards
from app.rewards.models import Coupon
from app.rewards.service import CouponView
from tests.apps import the_app
from tests.conftest import KEYS
from tests.databases import a_database
from tests.members.races import at_once
from tests.races.world import World, unlock

WAYS = ("code", "basket", "hold")


@dataclass
class Counter:
    """A till with its key, and what its calls carry."""

    client: FlaskClient
    key: str
    name: str
    chance: random.Random
    calls: int = 0

    def post(self, path: str, body: dict[str, Any]) -> str:
        """Call the API under a new key; return `done`, or the code of the refusal."""
        self.calls += 1
        headers = {"Authorization": f"Bearer {self.key}", "Idempotency-Key": f"{self.name}-{self.calls}"}
        answer = self.client.post(f"/api/v1{path}", json=body, headers=headers)
        return "done" if answer.status_code == 201 else str(answer.json and answer.json["code"])

    def redeem(self, coupon: str, buyer: str) -> str:
        """Redeem a coupon in one of the ways; return the way, or the refusal."""
        way = self.chance.choice(WAYS)
        if way == "basket":
            body = {
                "member": buyer, "receipt": f"{self.name}-{coupon[:8]}", "total_cents": 900, "coupons": [coupon],
                "occurred_at": clock.now().isoformat(),
            }  # fmt: skip
            told = self.post("/purchases", body)
        else:
            told = self.post(f"/coupons/{coupon}/reservations", {}) if way == "hold" else "done"
            told = self.post(f"/coupons/{coupon}/redemptions", {}) if told == "done" else told
        return way if told == "done" else told


def serve(line: Connection, together: Barrier) -> None:
    """Run the races that the line tells of, one after the other, until it says that there are no more.

    Args:
        together: where all processes meet before each coupon.
    """
    registry.load()
    log.configure("CRITICAL")  # a twin's crashes are told on the line
    app = the_app()
    with tempfile.TemporaryDirectory() as folder:
        while (told := line.recv()) is not None:
            world = World(a_database(told["url"], KEYS), told["brand_id"], 0, 0)
            with pytest.MonkeyPatch.context() as patch:
                if told["twin"]:
                    select_then_update(world, patch)
                app.extensions["leima"] = Runtime(Settings(demo=True, data_dir=Path(folder)), world.own())
                _race(app, told, line, together)
            for opened in (world.database, *world.opened):
                opened.engine.dispose()


def _race(app: Flask, told: dict[str, Any], line: Connection, together: Barrier) -> None:
    """Redeem every coupon once at each till; say of each coupon what the tills were told.

    All processes begin with a coupon when the last one has done with the coupon before.
    """
    tills = [Counter(app.test_client(), key, key[-8:], random.Random(f"{told['seed']} {key}")) for key in told["keys"]]
    found = []
    for coupon in told["coupons"]:
        together.wait(60)
        found.append(at_once(len(tills), _redeem(tills, coupon, told["buyers"])))
    line.send([[one if isinstance(one, str) else type(one).__name__ for one in each] for each in found])


def _redeem(tills: list[Counter], coupon: str, buyers: list[str]) -> Callable[[int], str]:
    return lambda number: tills[number].redeem(coupon, tills[number].chance.choice(buyers))


def select_then_update(world: World, patch: pytest.MonkeyPatch) -> None:
    """Be the twin: look whether a coupon can be used, and then mark it used, whatever it is by then.

    On SQLite it keeps no answers either: writing the key first is a lock on everything.
    """
    unlock(world, patch)
    if world.database.is_sqlite:
        patch.setattr(idempotency, "_once", lambda _key, _fingerprint, do: current_app.make_response(do()))
    use = "UPDATE coupon SET state = 'redeemed' WHERE brand_id = :brand_id AND id = :id"
    patch.setattr(redeeming, "_USE", text(use))

    def look_then_hold(session: Session, code: str, *, till: Till) -> redeeming.Reservation:
        view: CouponView = rewards.find(session, code)
        until = clock.now() + redeeming.HOLD
        rewards.check_usable(session, view, till=till, total_cents=None, at=clock.now())
        holding = {"reserved_till_id": till.id, "reserved_until": until}
        session.execute(update(Coupon).where(Coupon.id == view.coupon.id).values(holding))
        return redeeming.Reservation(view, until)

    patch.setattr(rewards, "reserve", look_then_hold)
