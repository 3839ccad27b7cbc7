"""Two people publish at one moment on both databases, and a broken twin that is caught."""

import threading
from collections import Counter

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.cards import versions
from app.cards.models import Program, ProgramDraft, ProgramVersion
from app.cards.versions import Content, VersionConflict
from app.network.models import Staff
from tests.members.races import FULL, at_once
from tests.races.world import World

ROUNDS = range(20 if FULL else 2)
PEOPLE = 4
LOOKED = 30  # seconds at most until all have looked


def publish_race(world: World) -> tuple[Counter[str], int, int]:
    """Let some people publish one draft at once; return what they were told, how many versions and drafts are left."""
    with world.unit() as session:
        program = session.scalars(select(Program)).one()
        before = session.scalar(select(func.count(ProgramVersion.id))) or 0
        people = [Staff(email=f"p{n}.{before}@meri.example", name="P", role="marketing") for n in range(PEOPLE)]
        session.add_all(people)
        session.flush()
        ids = [person.id for person in people]
        row = versions.version(session, program, before)
        content = Content(versions.Content.of(program.kind, row).plan, (row.size or 0) + 1, row.reward_id)
        versions.save_draft(session, program, content, staff=people[0])

    def publish(number: int) -> str:
        with world.unit() as session:
            found, staff = session.scalars(select(Program)).one(), session.get_one(Staff, ids[number])
            versions.publish(session, found, based_on=before, content=content, staff=staff)
        return "published"

    told = Counter(one if isinstance(one, str) else type(one).__name__ for one in at_once(PEOPLE, publish))
    with world.reading() as session:
        made = (session.scalar(select(func.count(ProgramVersion.id))) or 0) - before
        return told, made, session.scalar(select(func.count(ProgramDraft.id))) or 0


@pytest.mark.parametrize("round_number", ROUNDS)
def test_one_publishes_and_the_others_are_told(world: World, round_number: int) -> None:
    assert publish_race(world) == ({"published": 1, VersionConflict.__name__: PEOPLE - 1}, 1, 0)


def test_who_looks_without_holding_the_program_is_caught(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = threading.Barrier(PEOPLE)

    def look(session: Session, program: Program) -> int:
        last = select(func.max(ProgramVersion.number)).where(ProgramVersion.program_id == program.id)
        number = session.scalar(last) or 0
        if threading.current_thread() is not threading.main_thread():  # there the draft is saved before
            looked.wait(LOOKED)
        return number

    monkeypatch.setattr(versions, "hold", look)
    world.begins_late = world.database.is_sqlite

    told, _made, _drafts = publish_race(world)

    assert not looked.broken  # all had looked before anybody wrote
    assert told["published"]
    # Who comes second meets the unique index, or finds no draft; nobody is told that another was first.
    assert not told[VersionConflict.__name__]
