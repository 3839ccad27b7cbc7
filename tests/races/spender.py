"""A process of its own that spends from one balance in several threads: says when it is ready, and what came of it."""

from multiprocessing.connection import Connection
from typing import Any

import pytest

from app import registry
from app.cards import service
from app.cards.service import Wishes
from app.members.models import Member
from app.network.models import Till
from tests.conftest import KEYS
from tests.databases import a_database
from tests.members.races import at_once
from tests.races.world import World, unlock
from tests.shop import a_basket


def spend(told: dict[str, Any], line: Connection) -> None:
    """Spend 1.00 each time, after a word on the line; `told` is where, who, how often at once and whether unlocked."""
    registry.load()
    world = World(a_database(told["url"], KEYS), told["brand_id"], told["member_id"], told["till_id"])
    if told["unlocked"]:
        unlock(world, pytest.MonkeyPatch())

    def pay(_number: int) -> str:
        with world.unit() as session:
            member, till = session.get_one(Member, world.member_id), session.get_one(Till, world.till_id)
            service.record_purchase(
                session, a_basket(100), member=member, till=till, wishes=Wishes(spend={told["program"]: 100})
            )
        return "spent"

    line.send("ready")
    line.recv()
    line.send([one if isinstance(one, str) else type(one).__name__ for one in at_once(told["times"], pay)])
    line.close()
