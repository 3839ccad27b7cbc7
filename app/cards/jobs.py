"""Jobs of cards."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from sqlalchemy.orm import Session

from app.cards import due, expiry, simulations, tiers
from app.cards.events import SimulationAsked, TierChanged
from app.cards.models import TierChange
from app.core.db import brand_of
from app.core.jobs import job, long_job
from app.core.runtime import Runtime
from app.members.models import Member
from app.network.service import brand_by_brand

SLICE = 500  # lots or tiers of one unit, so that a till never waits long
GIFTS = 100  # members of one unit: each is given several rows


@job("cards.expire", every=timedelta(minutes=10), priority=8)
def expire(session: Session) -> None:
    """End lots whose time is over, brand by brand; what is left over follows at once."""
    brand_by_brand(session, "cards.expire", expiry.expire_due, most=SLICE)


@job("cards.release", every=timedelta(minutes=10), priority=8)
def release(session: Session) -> None:
    """Make spendable what was pending until now, brand by brand; what is left over follows at once."""
    brand_by_brand(session, "cards.release", expiry.release_due, most=SLICE)


@job("cards.tiers", every=timedelta(minutes=10), priority=8)
def lower_tiers(session: Session) -> None:
    """Lower the members whose tiers ended, brand by brand; what is left over follows at once."""
    brand_by_brand(session, "cards.tiers", tiers.settle_due, most=SLICE)


@job("cards.birthdays", every=timedelta(minutes=10), priority=8)
def give_birthdays(session: Session) -> None:
    """Give what rules have for the birthday month, brand by brand; who is left over follows at once."""
    brand_by_brand(session, "cards.birthdays", due.give_birthdays, most=GIFTS)


@job("cards.schedules", every=timedelta(minutes=10), priority=8)
def give_scheduled(session: Session) -> None:
    """Give what rules have for a day that has come, brand by brand; who is left over follows at once."""
    brand_by_brand(session, "cards.schedules", due.give_scheduled, most=GIFTS)


@job("cards.forget_simulations", every=timedelta(minutes=10), priority=9)
def forget_simulations(session: Session) -> None:
    """Forget simulations that were asked for long ago, brand by brand."""
    brand_by_brand(session, "cards.forget_simulations", simulations.forget, most=SLICE)


@long_job("cards.simulate", listens=SimulationAsked, unique_by="run_id")
class Simulate:
    """Run a draft over past purchases, which may take minutes."""

    def __init__(self, runtime: Runtime) -> None:
        self.database = runtime.database

    def prepare(self, session: Session, run_id: int) -> simulations.Run | None:
        """Mark the run begun; what a worker that was killed left begins anew."""
        return simulations.begin(session, run_id, partial(self.database.reading, brand_of(session)))

    def steps(self, run: simulations.Run) -> Iterator[int]:
        """Look at the purchases, each page in a reading session of its own."""
        return run.steps()

    def note(self, session: Session, run: simulations.Run, seen: int) -> None:
        """Write how many were looked at."""
        simulations.note(session, run, seen)

    def finish(self, session: Session, run: simulations.Run) -> None:
        """Write what was found."""
        simulations.end(session, run)

    def give_up(self, session: Session, run_id: int) -> None:
        """Write that it failed."""
        simulations.give_up(session, run_id)


@job("cards.tier_reached", listens=TierChanged, priority=4)
def give_for_tier(session: Session, member_id: int, program_id: int, was: str, tier: str, change_id: int) -> None:
    """Give what rules have for a tier that a member has reached, or take back what a refund undid."""
    reason = session.get_one(TierChange, change_id).reason
    member = session.get_one(Member, member_id)
    due.tier_changed(session, member, program_id=program_id, was=was, tier=tier, reason=reason)
