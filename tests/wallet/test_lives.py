"""Whatever happens to an iPhone with five passes, it ends with the newest version of each; two broken twins do not."""

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from sqlalchemy.orm import Session

from app.core import clock
from app.core.db import Database
from app.core.settings import Settings
from app.fakes.apns import FakeApns
from app.fakes.wallet_chain import WalletChain
from app.wallet import devices, marks
from app.wallet.outgoing import close
from tests.apps import a_client
from tests.seeds import drawn, say
from tests.wallet.life import CARDS, OPS, Life, Op
from tests.wallet.shop import Shop, a_shop

FULL = os.environ.get("LEIMA_TEST_FULL") == "1"
LIVES = 500 if FULL else 4  # on each of the two databases
BUSY = 3 if FULL else 1
QUICK: list[Op] = [op for who in range(CARDS) for op in (("buy", who, 1), ("work",))]  # two of them in one second
TWINS = 60  # lives that a broken twin has to be caught in


@pytest.fixture(scope="module")
def apns(chain: WalletChain) -> Iterator[FakeApns]:
    with FakeApns(chain.wwdr + chain.root) as fake:
        yield fake


@pytest.fixture
def begin(
    database: Database, settings: Settings, chain: WalletChain, apns: FakeApns, tmp_path: Path
) -> Iterator[Callable[[], Life]]:
    """Begin a life: a new phone and new people in the same brand."""
    root = tmp_path / "root.pem"
    root.write_bytes(apns.root)
    shop: Shop = a_shop(database, settings, chain, outbound_map=apns.mapping, outbound_root=root)
    client = a_client(shop.runtime)
    yield lambda: Life(shop, client, apns, clock.now())
    close(shop.runtime)


def test_every_life_ends_with_the_newest_version_of_each_pass(begin: Callable[[], Life]) -> None:
    @seed(say(drawn()))
    @settings(
        max_examples=LIVES, database=None, print_blob=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        phases=[Phase.explicit, Phase.reuse, Phase.generate],
    )  # fmt: skip
    @given(OPS)
    def every_life(ops: list[Op]) -> None:
        assert begin().live(ops) == []

    every_life()


def busy(number: int) -> list[Op]:
    """Draw a life in which much happens at nearly the same time: what a broken twin stumbles over."""
    chance = random.Random(number)
    ops: list[Op] = []
    for _step in range(10):
        ops += [("buy", chance.randrange(CARDS), 1) for _buy in range(chance.randrange(1, 4))]
        ops.append(chance.choice([("work",), ("ask",), ("work",), ("offline",), ("online",), ("add", 0)]))
    return ops


def caught(begin: Callable[[], Life]) -> int | None:
    """Return in which life the phone ended with something old, None when in none.

    The first is what a clock stumbles over at once: cards that change one after the other, two of them in one second.
    """
    for number, life in enumerate([QUICK, *(busy(other) for other in range(TWINS))]):
        try:
            if begin().live(life):
                return number
        except AssertionError:
            return number
    return None


def test_quick_and_busy_lives_end_well_too(begin: Callable[[], Life]) -> None:
    lives = [QUICK, *map(busy, range(BUSY))]

    assert [begin().live(life) for life in lives] == [[]] * len(lives)


def test_tag_from_a_clock_is_caught(begin: Callable[[], Life], monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: versions are seconds, so what changes twice in one second is told once."""

    def seconds(_session: Session) -> int:
        return int(clock.now().timestamp())

    monkeypatch.setattr(marks, "next_version", seconds)
    monkeypatch.setattr(marks, "current", lambda session: marks.Version("CLOCK", seconds(session)))

    assert caught(begin) is not None


def test_only_the_newest_pass_returned_is_caught(begin: Callable[[], Life], monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin of a known peer: of several changed passes, the one that changed last is named."""
    every = devices.changed_since

    def newest(session: Session, **asked: Any) -> list[tuple[str, int]]:
        return every(session, **asked)[-1:]

    monkeypatch.setattr(devices, "changed_since", newest)

    assert caught(begin) is not None
