"""What only one brand of the two has: a program that is planned and drafted, and an invitation."""

from datetime import date, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cards import rules, simulations, versions
from app.cards.models import Program
from app.cards.replay import Draft
from app.cards.simulate import Question, simulate
from app.cards.versions import Content
from app.core import clock
from app.doors.till import readings
from app.members.models import Member
from app.network.models import Staff, Till
from app.rewards import selling
from app.rewards import service as rewards
from app.rewards.models import GiftCard, Reward

VISITS = {"rules": [{"name": "visit", "on": "visit", "then": [{"do": "award", "n": 1, "base": True}]}]}


def own_program(session: Session, slug: str) -> dict[str, str]:
    """Plan a program for later, draft its next version and simulate it: nobody earns by it. Invite to something."""
    names = {"name": {"en": f"Visits of {slug}"}, "unit": {"en": ["visit", "visits"]}}
    program = Program(slug=f"{slug}-visits", kind="visits", position=9, **names)
    reward = Reward(slug=f"{slug}-party", kind="invitation", seats=10, name={"en": f"Party of {slug}"})
    session.add_all([program, reward])
    session.flush()
    person = session.scalars(select(Staff).where(Staff.role == "brand_admin")).one()
    content = Content(rules.parse("visits", VISITS))
    versions.add(session, program, content, valid_from=clock.now() + timedelta(days=10), staff=person)
    versions.save_draft(session, program, content, staff=person)
    october = Question(Draft("visits", content.plan), None, date(2026, 10, 1), date(2026, 10, 31), 4000)
    run = simulations.ask(session, program, october, staff=person, answer=simulate(session, october))
    return {"program": program.slug, "reward": reward.slug, "simulation": run.public_id}


def a_sold_gift_card(session: Session, till: Till) -> GiftCard:
    """Sell a gift card of 20.00 to who holds its code."""
    return selling.sell(session, "gift-card", cents=2000, till=till, receipt="R-1-gift", at=clock.now()).card


def readings_of(session: Session, member: Member, till: Till, gift: Any) -> list[str]:
    """Return the readings of a member's coupon and of a gift card whose codes a till has read."""
    coupon = next(view.coupon for view in rewards.of_member(session, member.id) if view.usable)
    return [readings.of(session, row.public_id, till_id=till.id) for row in (coupon, gift)]
