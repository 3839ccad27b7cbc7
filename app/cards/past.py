"""Past purchases as a simulation reads them: what refunds left of each, in pages that fit into memory."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, text
from sqlalchemy.orm import Session

from app.cards.rules import Line
from app.core.db import brand_of
from app.core.tables import UtcDateTime

MEMBERS, PURCHASES = 300, 2000  # of one page
Reading = Callable[[], AbstractContextManager[Session]]

# A purchase that was taken back whole is as if it had not been. A merged member's purchases are those of who it became.
_PURCHASES = (
    "SELECT p.id, p.public_id AS seed, p.outlet_id, p.occurred_at, o.id AS owner, o.kind AS member_kind, o.birth_month,"
    " p.total_cents - COALESCE((SELECT sum(r.amount_cents) FROM refund r WHERE r.purchase_id = p.id "
    "AND r.brand_id = p.brand_id), 0) AS total_cents, "
    "p.due_cents - COALESCE((SELECT sum(r.paid_cents) FROM refund r WHERE r.purchase_id = p.id "
    "AND r.brand_id = p.brand_id), 0) AS due_cents, {facts} AS facts "
    "FROM purchase p JOIN member m ON m.brand_id = p.brand_id AND m.id = p.member_id "
    "JOIN member o ON o.brand_id = m.brand_id AND o.id = COALESCE(m.merged_into_id, m.id) "
    "WHERE p.brand_id = :brand_id AND p.occurred_at >= :since AND p.occurred_at < :until AND NOT EXISTS ("
    "SELECT 1 FROM refund r WHERE r.purchase_id = p.id AND r.brand_id = p.brand_id AND r.whole) AND {which}"
)
_KEPT_FACTS = (
    "(SELECT CAST(a.facts AS TEXT) FROM award a WHERE a.brand_id = p.brand_id AND a.purchase_id = p.id "
    "ORDER BY a.id LIMIT 1)"
)
_OF_MEMBERS = (
    "p.member_id IN (SELECT f.id FROM member f WHERE f.brand_id = :brand_id AND "
    "(f.id IN :owners OR f.merged_into_id IN :owners))"
)
_NEXT = "(p.occurred_at, p.id) > (:at, :id) ORDER BY p.occurred_at, p.id LIMIT :most"
_OWNERS = text(
    "SELECT m.id FROM member m WHERE m.brand_id = :brand_id AND m.merged_into_id IS NULL AND m.id > :after "
    "ORDER BY m.id LIMIT :most"
)
_LINES = text(
    "SELECT l.purchase_id, l.sku, l.item_group, "
    "l.quantity - COALESCE((SELECT sum(g.quantity) FROM refund_line g WHERE g.line_id = l.id "
    "AND g.brand_id = l.brand_id), 0) AS quantity, "
    "l.paid_cents - COALESCE((SELECT sum(g.paid_cents) FROM refund_line g WHERE g.line_id = l.id "
    "AND g.brand_id = l.brand_id), 0) AS paid_cents "
    "FROM purchase_line l WHERE l.brand_id = :brand_id AND l.purchase_id IN :ids ORDER BY l.purchase_id, l.number"
).bindparams(bindparam("ids", expanding=True))
_PLACES = text(
    "SELECT o.id, o.slug, o.kind, r.slug AS reseller, COALESCE(c.slug, d.slug, '') AS chain FROM outlet o "
    "JOIN reseller r ON r.brand_id = o.brand_id AND r.id = o.reseller_id "
    "LEFT JOIN chain c ON c.brand_id = o.brand_id AND c.id = o.chain_id "
    "LEFT JOIN chain d ON d.brand_id = r.brand_id AND d.id = r.chain_id WHERE o.brand_id = :brand_id"
)
_MOMENTS = [bindparam(name, type_=UtcDateTime) for name in ("since", "until")]
_COUNT = text(
    "SELECT count(*) FROM (SELECT 1 FROM purchase p WHERE p.brand_id = :brand_id AND p.occurred_at >= :since "
    "AND p.occurred_at < :until LIMIT :most) AS found"
).bindparams(*_MOMENTS)


@dataclass(frozen=True)
class Place:
    """Where something was bought, by slugs."""

    outlet: str
    reseller: str
    chain: str
    channel: str


@dataclass(frozen=True)
class Bought:
    """What is left of a past purchase. Amounts are cents, `at` is local, `owner` the member that it belongs to now."""

    id: int
    owner: int
    at: datetime
    total_cents: int
    due_cents: int
    lines: tuple[Line, ...]
    place: Place
    member_kind: str
    birth_month: int | None
    tier: str  # at the time, where an award has kept it
    seed: str  # picks the same surprise each time


@dataclass(frozen=True)
class Past:
    """Reads a brand's purchases from `since` on and before `until`; `lines` and `tiers` only where a rule asks.

    Each page is read in a session of its own that `reading` opens, so that none stands open while rules are run.
    """

    reading: Reading
    zone: ZoneInfo
    since: datetime
    until: datetime
    lines: bool
    tiers: bool

    def count(self, most: int) -> int:
        """Return how many purchases there are to look at, or `most` where there are more."""
        with self.reading() as session:
            values = {"brand_id": brand_of(session), "since": self.since, "until": self.until, "most": most}
            return int(session.connection().execute(_COUNT, values).scalar_one())

    def by_member(self) -> Iterator[Bought]:
        """Give the purchases member by member, each one's in the order of time."""
        places, after = self._places(), 0
        while owners := self._owners(after):
            rows = self._read(_OF_MEMBERS, [bindparam("owners", expanding=True)], owners=owners)
            yield from self._bought(sorted(rows, key=attrgetter("owner", "occurred_at", "id")), places)
            after = owners[-1]

    def by_time(self) -> Iterator[Bought]:
        """Give the purchases of all members in the order of time."""
        places, at, last = self._places(), self.since, 0
        moment = [bindparam("at", type_=UtcDateTime)]
        while rows := self._read(_NEXT, moment, at=at, id=last, most=PURCHASES):
            yield from self._bought(rows, places)
            at, last = rows[-1].occurred_at, rows[-1].id

    def _owners(self, after: int) -> list[int]:
        with self.reading() as session:
            values = {"brand_id": brand_of(session), "after": after, "most": MEMBERS}
            return list(session.connection().execute(_OWNERS, values).scalars())

    def _read(self, which: str, binds: Sequence[Any], **values: Any) -> list[Any]:
        said = _PURCHASES.format(which=which, facts=_KEPT_FACTS if self.tiers else "NULL")
        statement = text(said).bindparams(*_MOMENTS, *binds).columns(occurred_at=UtcDateTime)
        with self.reading() as session:
            shared = {"brand_id": brand_of(session), "since": self.since, "until": self.until}
            return list(session.connection().execute(statement, {**shared, **values}))

    def _bought(self, rows: list[Any], places: dict[int, Place]) -> Iterator[Bought]:
        for start in range(0, len(rows), PURCHASES):
            page = rows[start : start + PURCHASES]
            lines = self._lines([row.id for row in page])
            for row in page:
                yield Bought(
                    row.id, row.owner, row.occurred_at.astimezone(self.zone), row.total_cents, row.due_cents,
                    lines.get(row.id, ()), places[row.outlet_id], row.member_kind, row.birth_month,
                    json.loads(row.facts).get("tier", "") if row.facts else "", row.seed,
                )  # fmt: skip

    def _lines(self, ids: list[int]) -> dict[int, tuple[Line, ...]]:
        if not self.lines or not ids:
            return {}
        found: defaultdict[int, list[Line]] = defaultdict(list)
        with self.reading() as session:
            rows = session.connection().execute(_LINES, {"brand_id": brand_of(session), "ids": ids}).all()
        for row in rows:
            if row.quantity > 0:
                found[row.purchase_id].append(Line(row.sku, row.item_group, int(row.quantity), int(row.paid_cents)))
        return {purchase_id: tuple(lines) for purchase_id, lines in found.items()}

    def _places(self) -> dict[int, Place]:
        with self.reading() as session:
            rows = session.connection().execute(_PLACES, {"brand_id": brand_of(session)}).all()
        return {row.id: Place(row.slug, row.reseller, row.chain, row.kind) for row in rows}
