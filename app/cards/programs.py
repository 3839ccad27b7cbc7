"""Programs and which of their versions holds at a moment."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, bindparam, text
from sqlalchemy.orm import Session

from app.core.db import brand_of
from app.core.tables import UtcDateTime

_IN_FORCE = (
    text(
        "SELECT p.id, p.slug, p.name, p.unit, v.id AS version_id, v.size, v.reward_id, v.rule FROM program p "
        "JOIN program_version v ON v.brand_id = p.brand_id AND v.program_id = p.id "
        "WHERE p.brand_id = :brand_id AND v.number = (SELECT max(w.number) FROM program_version w "
        "WHERE w.brand_id = p.brand_id AND w.program_id = p.id AND w.valid_from <= :at) ORDER BY p.position, p.id"
    )
    .bindparams(bindparam("at", type_=UtcDateTime))
    .columns(name=JSON, unit=JSON, rule=JSON)
)


@dataclass(frozen=True)
class ProgramInForce:
    """A program with the version that holds at a moment."""

    id: int
    slug: str
    name: dict[str, str]
    unit: dict[str, list[str]]
    version_id: int
    size: int
    reward_id: int
    rule: dict[str, Any]


def in_force(session: Session, at: datetime) -> list[ProgramInForce]:
    """Return the brand's programs in their order, each with its version at `at`."""
    rows = session.connection().execute(_IN_FORCE, {"brand_id": brand_of(session), "at": at})
    return [ProgramInForce(*row) for row in rows]
