"""The outbox: a job is written with the change that causes it, once while it waits, and never without a registry."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import clock, jobs
from app.core.db import Database
from app.core.events import Event, emit
from app.core.jobs import Job, job, sending_job


@dataclass(frozen=True, kw_only=True)
class Happened(Event):
    """What the jobs here listen to."""

    thing: int
    detail: str = ""


@pytest.fixture(autouse=True)
def _kinds(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Know the jobs of this test only."""
    monkeypatch.setattr(jobs, "_kinds", {})
    monkeypatch.setattr(jobs, "_listeners", {})
    return


def a_listener(name: str = "test.listen", **options: object) -> None:
    @job(name, listens=Happened, **options)  # type: ignore[arg-type]
    def run(session: Session, thing: int) -> None: ...


def rows(database: Database) -> list[Job]:
    with database.reading() as session:
        return list(session.scalars(select(Job).order_by(Job.id)))


def test_event_queues_each_listener_with_the_arguments_it_names(database: Database) -> None:
    a_listener("test.one", priority=2)
    a_listener("test.two")

    with database.unit() as session:
        emit(session, Happened(thing=7, detail="left out"))

    found = [(row.name, json.loads(row.arguments), row.priority, row.state, row.attempt) for row in rows(database)]
    assert found == [("test.one", {"thing": 7}, 2, "queued", 0), ("test.two", {"thing": 7}, 5, "queued", 0)]


def test_unit_that_fails_leaves_no_job(database: Database) -> None:
    a_listener()

    def change_and_fail() -> None:
        with database.unit() as session:
            emit(session, Happened(thing=7))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        change_and_fail()

    assert rows(database) == []


def test_event_before_the_registry_is_loaded_is_refused(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_state", {"loaded": False})

    with pytest.raises(RuntimeError, match="not loaded"):
        emit(session, Happened(thing=7))


def test_argument_that_is_no_plain_value_is_refused_at_once(session: Session) -> None:
    @dataclass(frozen=True, kw_only=True)
    class Strange(Event):
        at: datetime

    with pytest.raises(TypeError):
        emit(session, Strange(at=clock.now()))


def test_unique_job_waits_once_for_each_key(database: Database) -> None:
    a_listener(unique_by="thing")

    for _time in range(10):
        with database.unit() as session:
            emit(session, Happened(thing=7))
            emit(session, Happened(thing=8))

    assert [row.unique_key for row in rows(database)] == ["test.listen:7", "test.listen:8"]


def test_unique_job_that_waits_only_moves_forward(database: Database) -> None:
    a_listener(unique_by="thing")
    now = clock.now()

    for delay in (timedelta(hours=1), timedelta(minutes=1), timedelta(hours=2)):
        with database.unit() as session:
            emit(session, Happened(thing=7), delay=delay)

    (row,) = rows(database)
    assert timedelta(minutes=1) <= row.run_at - now < timedelta(minutes=2)


def test_unique_job_that_waits_takes_the_newest_arguments(database: Database) -> None:
    @job("test.newest", listens=Happened, unique_by="thing")
    def run(session: Session, thing: int, detail: str) -> None: ...

    for detail in ("first", "second"):
        with database.unit() as session:
            emit(session, Happened(thing=7, detail=detail))

    assert [json.loads(row.arguments) for row in rows(database)] == [{"thing": 7, "detail": "second"}]


def test_unit_writes_its_unique_jobs_at_its_end_once_each_in_the_order_of_their_keys(database: Database) -> None:
    a_listener(unique_by="thing")
    seen = select(Job.unique_key)

    with database.unit() as session:
        for thing, hours in ((9, 1), (7, 3), (8, 3), (7, 2), (9, 2)):
            emit(session, Happened(thing=thing), delay=timedelta(hours=hours))
        during = session.scalars(seen).all()

    found = [(row.unique_key, round((row.run_at - clock.now()) / timedelta(hours=1))) for row in rows(database)]
    assert (during, found) == ([], [("test.listen:7", 2), ("test.listen:8", 3), ("test.listen:9", 1)])


def test_two_jobs_cannot_share_a_name() -> None:
    a_listener("test.same")

    with pytest.raises(RuntimeError, match=r"test\.same"):
        a_listener("test.same")


def test_sending_job_takes_its_arguments_from_prepare() -> None:
    @sending_job("test.send")
    class Send:
        def prepare(self, session: Session, thing: int) -> list[int]:
            return [thing]

    assert (jobs.kinds()["test.send"].arguments, jobs.kinds()["test.send"].sends) == (("thing",), True)
