"""Tidying in the register: what proved a contact once is not kept."""

from datetime import timedelta

from sqlalchemy import bindparam, text
from sqlalchemy.orm import Session

from app.core import clock
from app.core.jobs import again, job
from app.core.tables import UtcDateTime

SLICE = 500  # rows of one write; a full one is followed by another at once
LIVES = timedelta(days=2)  # after its end; a contact hears "no card here" once a day, which looks at older codes
_BEFORE = bindparam("before", type_=UtcDateTime)
_CODES = text(
    "DELETE FROM contact_code WHERE id IN (SELECT id FROM contact_code WHERE ends_at < :before LIMIT :most)"
).bindparams(_BEFORE)
_SESSIONS = text(
    "DELETE FROM door_session WHERE id IN (SELECT id FROM door_session WHERE ends_at < :before LIMIT :most)"
).bindparams(_BEFORE)


@job("members.forget_codes", every=timedelta(minutes=10), priority=9)
def forget_codes(session: Session) -> None:
    """Forget codes and log-ins that ended, in every brand."""
    left = SLICE
    for statement in (_CODES, _SESSIONS):
        values = {"before": clock.now() - LIVES, "most": left}
        left -= session.connection().execute(statement, values, execution_options={"finds_brand": True}).rowcount
    if left <= 0:
        again(session, "members.forget_codes", now=clock.now())
