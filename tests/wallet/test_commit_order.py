"""On PostgreSQL a phone that asks between two commits misses nothing; a sequence in place of the counter does."""

import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.core.settings import Settings
from app.fakes.wallet_chain import WalletChain
from app.wallet import marks
from app.wallet.models import WalletPass
from tests.builders import a_member
from tests.conftest import KEYS
from tests.databases import a_database
from tests.wallet.phoneside import ask, register
from tests.wallet.shop import Shop, a_shop, face

BLOCKED, DONE = 0.4, 10  # seconds: a transaction that waits for another does not end by itself


@pytest.fixture
def shop(postgres_test_url: str, settings: Settings, chain: WalletChain) -> Iterator[Shop]:
    database = a_database(postgres_test_url, KEYS)
    yield a_shop(database, settings, chain)
    database.close()


def missed(shop: Shop) -> set[str]:
    """Let one card change in a transaction that stays open while another card changes and the phone asks.

    Return the serials that the phone never hears of.
    """
    made = [shop.apple(), shop.apple(shop.change(lambda session: a_member(session).id))]
    for each in made:
        register(shop, each)
    serials = [str(face(each)["serialNumber"]) for each in made]
    first = ask(shop)
    assert first is not None
    marked, may_end, second_done = threading.Event(), threading.Event(), threading.Event()

    def slow(session: Session) -> None:
        version = marks.next_version(session)
        marked.set()
        assert may_end.wait(DONE)
        _mark(session, serials[0], version)

    def quick() -> None:
        shop.change(lambda session: _mark(session, serials[1], marks.next_version(session)))
        second_done.set()

    threads = [threading.Thread(target=lambda: shop.change(slow)), threading.Thread(target=quick)]
    threads[0].start()
    assert marked.wait(DONE)
    threads[1].start()
    second_done.wait(BLOCKED)
    between = ask(shop, first.tag)
    may_end.set()
    for thread in threads:
        thread.join(DONE)
    after = ask(shop, between.tag if between else first.tag)
    heard = {*(between.serials if between else []), *(after.serials if after else [])}
    return set(serials) - heard


def _mark(session: Session, serial: str, version: int) -> None:
    row = session.scalars(select(WalletPass).where(WalletPass.serial == serial)).one()
    row.version = version
    session.flush()
    marks.let_hear(session, [row.id], version)


def test_phone_that_asks_between_two_commits_hears_of_both(shop: Shop) -> None:
    assert missed(shop) == set()


def test_versions_from_a_sequence_are_caught(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: a sequence gives numbers in order, and transactions commit in another one."""
    with shop.runtime.database.unit() as session:
        session.execute(text("CREATE SEQUENCE IF NOT EXISTS twin_version START 1000"))

    def number(session: Session) -> int:
        return int(session.execute(text("SELECT nextval('twin_version')")).scalar_one())

    monkeypatch.setattr(marks, "next_version", number)
    monkeypatch.setattr(marks, "current", lambda _session: marks.Version("TWIN", 10**9))

    try:
        assert missed(shop) != set()
    finally:
        with shop.runtime.database.unit() as session:
            session.execute(text("DROP SEQUENCE twin_version"))
