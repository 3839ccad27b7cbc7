"""One balance that several processes spend from at one moment, on both databases, and a twin without locks."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

from sqlalchemy import select

from app.cards.models import ProgramVersion
from app.core import clock
from app.ledger.accounts import open_accounts
from app.ledger.models import Account
from tests.cards.kinds import a_plan
from tests.races.world import World

PROCESSES, SPENDS = 2, 5  # ten spends of 1.00 at once from a balance of 5.00
BACK = {"rules": [{"name": "back", "then": [{"do": "percent", "bp": 100}]}]}


ROUNDS = 5  # of the twin: processes that come one after the other by chance prove nothing


def race(world: World, *, unlocked: bool, slug: str = "bonus") -> tuple[Counter[str], int]:
    """Spend from several processes at once; return what each was told, and what is left."""
    with world.unit() as session:
        program = a_plan(session, "bonus", BACK, slug=slug)
        version = session.scalars(select(ProgramVersion).where(ProgramVersion.program_id == program.id)).one()
        context = {"occurred_at": clock.now(), "version_id": version.id}
        opened = open_accounts(session, member_id=world.member_id, program_ids=[program.id], context=context)
        opened[program.id].add("earn", 500)
    asked = {
        "url": world.database.engine.url.render_as_string(hide_password=False), "brand_id": world.brand_id,
        "member_id": world.member_id, "till_id": world.till_id, "times": SPENDS, "unlocked": unlocked, "program": slug,
    }  # fmt: skip
    command = [sys.executable, "-m", "tests.races.spender", json.dumps(asked)]
    running = [
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
        )
        for _process in range(PROCESSES)
    ]
    told: Counter[str] = Counter()
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in running:
        told.update(json.loads(process.communicate(timeout=60)[0]))
    with world.reading() as session:
        left = session.scalars(select(Account.balance).where(Account.program_id == program.id)).one()
    return told, left


def test_ten_spends_at_once_from_a_balance_for_five_are_five(world: World) -> None:
    assert race(world, unlocked=False) == ({"spent": 5, "BalanceTooSmall": 5}, 0)
    assert world.faults() == []


def test_spends_without_the_lock_are_caught(world: World) -> None:
    right = ({"spent": 5, "BalanceTooSmall": 5}, 0)

    assert any(race(world, unlocked=True, slug=f"bonus-{n}") != right or world.faults() for n in range(ROUNDS))
