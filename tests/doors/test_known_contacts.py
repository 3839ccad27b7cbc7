"""Who is a member stays hidden: known and unknown contacts get the same answers, rows and jobs."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app import registry
from app.core import clock
from app.members import codes
from app.members.contacts import ContactValue
from tests.doors.tillside import TillSide
from tests.walls.harness import OURS
from tests.walls.world import NOW, World

UNKNOWN = "meripersoxa@mail.meri.example"  # as long as the known one, and masked alike
JOIN = {"age": "1", "consent_email": "1", "first_name": "Kaisla", "source": "web"}
Step = tuple[str, str, dict[str, str]]
STEPS: dict[str, list[Step]] = {
    "join": [
        ("POST", "/meri/join", {**JOIN, "contact": "@"}),
        ("GET", "/meri/", {}),
        ("GET", "/meri/coupons", {}),
        ("GET", "/meri/activity", {}),
        ("GET", "/meri/profile", {}),
        ("GET", "/meri/confirm", {}),
        *[("POST", "/meri/confirm", {"code": "x"})] * 6,
        ("POST", "/meri/confirm/again", {}),
    ],
    "sign in": [
        ("POST", "/meri/sign-in", {"contact": "@"}),
        ("GET", "/meri/sign-in/code", {}),
        *[("POST", "/meri/sign-in/code", {"code": "x"})] * 6,
        ("GET", "/meri/sign-in/code", {}),
        *[("POST", "/meri/sign-in", {"contact": "@"})] * 6,
    ],
    "join after signing in": [
        ("POST", "/meri/sign-in", {"contact": "@"}),
        ("POST", "/meri/join", {**JOIN, "contact": "@"}),
        ("GET", "/meri/", {}),
    ],
    "a second contact": [
        ("POST", "/meri/join", {**JOIN, "contact": "first.one@mail.example"}),
        ("POST", "/meri/profile/contacts", {"contact": "@"}),
        ("GET", "/meri/profile", {}),
    ],
}
# What is new in each answer: codes, their picture and secret, ids, nonces, hashes, moments and seconds left.
_NEW = re.compile(
    r'(?<= d=")M[^"]*|\b[0-9A-Z]{16,32}(\.\d{6})?\b|[2-9A-HJ-NP-Z]{4} [2-9A-HJ-NP-Z]{4}|(?<=spoken_code":")\w+|'
    r"(?<=nonce[=-])[\"\w-]+|[0-9a-f]{16,20}|\d{4}-\d\d-\d\dT[\d:+]+|(?<=Retry-After: )\d+|leima-[a-z-]+=[^\n]*"
)


@pytest.fixture
def phones(world: World, tmp_path: Path) -> Iterator[tuple[TillSide, TillSide]]:
    """The service twice, over equal copies, so that each contact finds the same."""
    both = TillSide(world, tmp_path / "known.db"), TillSide(world, tmp_path / "unknown.db")
    with clock.moved(to=NOW):
        yield both
    for one in both:
        one.close()


@pytest.mark.parametrize("way", STEPS)
def test_known_and_unknown_contacts_get_the_same(phones: tuple[TillSide, TillSide], way: str) -> None:
    assert differences(phones, way) == []


def test_an_answer_that_depends_on_the_register_is_caught(
    phones: tuple[TillSide, TillSide], monkeypatch: pytest.MonkeyPatch
) -> None:
    make = codes.make

    def only_for_members(session: Session, contact: ContactValue, *, member_id: int | None, **given: Any) -> Any:
        return make(session, contact, member_id=member_id, **given) if member_id else None

    monkeypatch.setattr(codes, "make", only_for_members)
    assert differences(phones, "sign in")


def differences(phones: tuple[TillSide, TillSide], way: str) -> list[str]:
    """Go one way with a known and an unknown contact; return the steps at which they can be told apart."""
    known, unknown = phones
    contact, found = known.side.members[0].contact, []
    assert len(contact) == len(UNKNOWN)
    for number, (method, path, form) in enumerate(STEPS[way]):
        one, other = _ask(known, method, path, form, contact), _ask(unknown, method, path, form, UNKNOWN)
        step = f"{number}: {method} {path}"
        if (one.status_code, _told(one, contact)) != (other.status_code, _told(other, UNKNOWN)):
            found.append(f"{step} answers {one.status_code} and {other.status_code}, or not the same text")
        if _left(known) != _left(unknown):
            found.append(f"{step} leaves other rows or jobs")
    return found


def test_a_till_that_signs_somebody_up_learns_nothing_from_the_answer(phones: tuple[TillSide, TillSide]) -> None:
    known, unknown = phones
    contact = known.side.members[0].contact
    answers = []
    for phone, value in ((known, contact), (unknown, UNKNOWN)):
        answers.append(phone.post("/members", {"contact": value, "age_confirmed": True, "first_name": "Kaisla"}))

    one, other = answers
    assert (one.status_code, other.status_code) == (201, 201)
    assert _told(one, contact) == _told(other, UNKNOWN)
    assert len(one.data) == len(other.data)


def _ask(phone: TillSide, method: str, path: str, form: dict[str, str], contact: str) -> TestResponse:
    filled = {name: contact if value == "@" else value for name, value in form.items()}
    return phone.client.open(path, method=method, data=filled or None, headers=OURS)


def _told(response: TestResponse, contact: str) -> str:
    """Return headers and body, without the contact itself and what is new in every answer."""
    headers = [f"{name}: {value}" for name, value in response.headers if name not in ("X-Request-Id", "Content-Length")]
    return _NEW.sub("·", "\n".join([*headers, response.text]).replace(contact, "·"))


def _left(phone: TillSide) -> dict[str, Any]:
    """Return how many rows each table has, and the jobs by name, state and what they are about."""
    with closing(sqlite3.connect(phone.file)) as connection:
        names = [table.name for table in registry.metadata.sorted_tables]
        # Names come from our own metadata.
        found = {name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in names}  # noqa: S608
        jobs = connection.execute("SELECT name, state, arguments, priority FROM job ORDER BY id").fetchall()
    return {**found, "job": jobs}
