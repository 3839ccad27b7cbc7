"""Programs and which of their versions holds at a moment."""

import json
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from sqlalchemy.orm import Session

from app.cards import rules
from app.cards.rules import Plan
from app.core.db import brand_of
from app.core.sql import Sql

_FIRST = (
    "SELECT p.id, p.slug, p.kind, CAST(p.name AS TEXT), CAST(p.unit AS TEXT), v.id, v.size, v.reward_id, "
    "CAST(v.rule AS TEXT), p.cost_centre_id, p.campaign FROM program p "
    "JOIN program_version v ON v.brand_id = p.brand_id AND v.program_id = p.id WHERE "
)
_LAST = " p.brand_id = :brand_id ORDER BY p.position, p.id"
_AT = (
    "v.id = (SELECT w.id FROM program_version w WHERE w.brand_id = p.brand_id AND w.program_id = p.id "
    "AND w.valid_from <= :at ORDER BY w.valid_from DESC, w.number DESC LIMIT 1) AND"
)
_IN_FORCE = Sql("".join((_FIRST, _AT, _LAST)))
_OF_VERSION = Sql("".join((_FIRST, "v.id = :version_id AND", _LAST)))


@dataclass(frozen=True)
class ProgramInForce:
    """A program with the version that holds at a moment."""

    id: int
    slug: str
    kind: str
    name: dict[str, str]
    unit: dict[str, list[str]]
    version_id: int
    size: int | None  # units that fill the card; None where nothing is filled
    reward_id: int | None
    plan: Plan
    cost_centre_id: int | None = None
    campaign: str | None = None

    @property
    def full_at(self) -> int | None:
        """Return the balance at which the count begins anew: a full card, or the highest threshold that repeats."""
        return self.size or (self.plan.thresholds[-1].at if self.plan.repeats else None)


def in_force(session: Session, at: datetime) -> list[ProgramInForce]:
    """Return the brand's programs in their order, each with its version at `at`."""
    rows = _IN_FORCE.run(session, {"brand_id": brand_of(session), "at": at})
    return [_program(*row) for row in rows]


def of_version(session: Session, version_id: int) -> ProgramInForce:
    """Return a program with one of its versions, also an old one."""
    (row,) = _OF_VERSION.run(session, {"brand_id": brand_of(session), "version_id": version_id})
    return _program(*row)


@lru_cache(maxsize=512)
def _program(
    row_id: int, slug: str, kind: str, name: str, unit: str, version_id: int, size: int | None, reward_id: int | None,
    plan: str, cost_centre_id: int | None, campaign: str | None,
) -> ProgramInForce:  # fmt: skip
    """Return what a row says; a sale reads the same few again and again."""
    return ProgramInForce(
        row_id, slug, kind, json.loads(name), json.loads(unit), version_id, size, reward_id,
        rules.parse(kind, json.loads(plan)), cost_centre_id, campaign,
    )  # fmt: skip
