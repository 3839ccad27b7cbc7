"""One balance that several processes spend from at one moment, on both databases, and a twin without locks."""

from collections import Counter

from sqlalchemy import select

from app.cards.models import ProgramVersion
from app.core import clock
from app.ledger.accounts import open_accounts
from app.ledger.models import Account
from tests.cards.kinds import a_plan
from tests.commands import processes
from tests.races import spender
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
    lines, running = [], []
    for _process in range(PROCESSES):
        mine, theirs = processes.Pipe()
        running.append(processes.Process(target=spender.spend, args=(asked, theirs)))
        running[-1].start()
        lines.append(mine)
    told: Counter[str] = Counter()
    assert [line.recv() for line in lines] == ["ready"] * PROCESSES
    for line in lines:
        line.send("go")
    for line in lines:
        assert line.poll(60)
        told.update(line.recv())
    for process in running:
        process.join(60)
    with world.reading() as session:
        left = session.scalars(select(Account.balance).where(Account.program_id == program.id)).one()
    return told, left


def test_ten_spends_at_once_from_a_balance_for_five_are_five(world: World) -> None:
    assert race(world, unlocked=False) == ({"spent": 5, "BalanceTooSmall": 5}, 0)
    assert world.faults() == []


def test_spends_without_the_lock_are_caught(world: World) -> None:
    right = ({"spent": 5, "BalanceTooSmall": 5}, 0)

    assert any(race(world, unlocked=True, slug=f"bonus-{n}") != right or world.faults() for n in range(ROUNDS))
