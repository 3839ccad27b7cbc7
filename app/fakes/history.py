"""Plays the demo's history through the services on a moved clock, step by step, and goes on where it was stopped."""

import json
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import singledispatchmethod
from time import monotonic

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.cards import serial, welcome
from app.cards.refunds import refund
from app.cards.service import Wishes, record_purchase
from app.core import clock, events, jobs
from app.core.db import Database, DatabaseDown
from app.core.errors import LeimaError, NotFound
from app.core.jobs import Job
from app.core.log import log
from app.fakes.demo import SLUG
from app.fakes.history_extras import BUN_CENTS, BUN_NORMAL_CENTS, CARD, OFFER, MorningBuy, SellCard, UseCard
from app.fakes.history_plan import ZONE, plan
from app.fakes.history_steps import Buy, Confirm, Join, Night, Step, TakeBack, Withdraw
from app.fakes.people import Person
from app.ledger import service as ledger
from app.ledger.service import Basket, Line
from app.members import codes, consents, sign_in
from app.members import service as members
from app.members.models import Contact, Member
from app.network import service as network
from app.network.models import Brand, Till
from app.rewards import service as rewards
from app.rewards.offers import Wanted

KEY = "history"  # in brand.settings: {"end", "done", "of"}; the console shows done / of
BREATH = 0.3  # of the time that a step took, left to the pages and the worker
ATTEMPTS = 4  # at confirming: the worker lives in the present and may tidy an old code away at any moment
PAUSE = 5.0  # seconds until a database that does not answer is asked again


class MemberGone(NotFound):
    """A person of the history was erased while it was playing."""

    code = "member_gone"


class Stopped(Exception):
    """The process ends; the next one goes on."""


class History:
    """The demo's past. `done` steps of the plan are in the database, each committed together with that number."""

    def __init__(self, database: Database, planned: Callable[[datetime], list[Step]] = plan) -> None:
        self._database = database
        self._halt = threading.Event()
        self._ids: dict[int, int] = {}  # person → member
        with database.unit() as session:
            brand = network.brand_by_slug(session, SLUG)
            self._brand_id = brand.id
            mark = brand.settings.get(KEY)
            if mark is None:
                mark = {"end": _last_full_hour().isoformat(), "done": 0, "of": 0}
            self._end = datetime.fromisoformat(mark["end"])
            self.steps = planned(self._end)
            self.done = int(mark["done"])
            brand.settings = {**brand.settings, KEY: {**mark, "of": len(self.steps)}}

    def halt(self) -> None:
        """Stop after the step at hand."""
        self._halt.set()

    def pause(self) -> None:
        """Wait a little, or until `halt`."""
        self._halt.wait(PAUSE)

    def play(self, *, progress: Callable[[int], None] = lambda done: None) -> None:
        """Play what is left.

        Raises:
            Stopped: `halt` was called, or another process plays already.
        """
        while self.done < len(self.steps):
            if self._halt.is_set():
                raise Stopped
            began = monotonic()
            self._one(self.steps[self.done])
            self.done += 1
            progress(self.done)
            self._halt.wait(BREATH * (monotonic() - began))

    def _one(self, step: Step) -> None:
        with clock.moved(to=step.at):
            refused = LeimaError("")
            for _attempt in range(ATTEMPTS if isinstance(step, Confirm) else 1):
                try:
                    self._try(step)
                    return
                except DatabaseDown:
                    raise
                except codes.CodeUnusable as error:
                    refused = error
                except LeimaError as error:
                    refused = error
                    break
            # What the service refuses did not happen.
            log.warning("demo history", step=type(step).__name__, code=refused.code)
            with self._database.unit(self._brand_id) as session:
                self._mark(session)

    def _try(self, step: Step) -> None:
        attempt = self._count_try(step.person) if isinstance(step, Confirm) else None
        with self._database.unit(self._brand_id) as session:
            self._mark(session)
            if not isinstance(step, Confirm):
                self._do(step, session)
            elif attempt is not None:
                self._confirm(session, step, attempt)
            self._run_jobs(session)

    def _mark(self, session: Session) -> None:
        """Count the step in the transaction that does it; refuse when somebody else has counted it."""
        brand = session.scalars(select(Brand).where(Brand.id == self._brand_id).with_for_update()).one()
        mark = brand.settings[KEY]
        if mark["done"] != self.done:
            raise Stopped
        brand.settings = {**brand.settings, KEY: {**mark, "done": self.done + 1}}

    @singledispatchmethod
    def _do(self, step: Step, session: Session) -> None:
        raise NotImplementedError(type(step).__name__)  # a kind of step that none of the following is for

    @_do.register
    def _(self, step: Join, session: Session) -> None:
        person = step.person
        form = members.JoinForm(
            contact=person.contact, contact_2=person.contact_2, first_name=person.first_name, age=True,
            language=person.language, source=step.source, outlet_slug=step.outlet, consents=person.consents,
            browser=_browser(person),
        )  # fmt: skip
        members.join(session, form)

    @_do.register
    def _(self, step: Buy, session: Session) -> None:
        member, till = self._member(session, step.person), network.till_by_slug(session, step.outlet, step.till)
        lines, wishes = _at_member_price(step)
        basket = Basket(total_cents=step.cents, receipt=step.receipt, occurred_at=clock.now(), lines=lines)
        result = record_purchase(session, basket, member=member, till=till, wishes=wishes)
        if step.redeems:
            self._redeem(session, member, till, result.purchase_id)

    @_do.register
    def _(self, step: SellCard, session: Session) -> None:
        member, till = self._member(session, step.person), network.till_by_slug(session, step.outlet, step.till)
        serial.sell(session, CARD, member=member, till=till, receipt=step.receipt, at=clock.now())

    @_do.register
    def _(self, step: UseCard, session: Session) -> None:
        till = network.till_by_slug(session, step.outlet, step.till)
        serial.use(session, CARD, member_id=self._member(session, step.person).id, till=till)

    @_do.register
    def _(self, step: TakeBack, session: Session) -> None:
        bought = step.purchase
        till = network.till_by_slug(session, bought.outlet, bought.till)
        receipt = (till.public_id, bought.receipt, bought.at.astimezone(ZONE).date())
        refund(session, ledger.find_purchase(session, till=till, receipt=receipt), till=till)

    @_do.register
    def _(self, step: Withdraw, session: Session) -> None:
        consents.withdraw(session, self._member(session, step.person), step.channel)

    @_do.register
    def _(self, step: Night, session: Session) -> None:
        rewards.expire_due(session, now=clock.now())

    def _redeem(self, session: Session, member: Member, till: Till, purchase_id: int) -> None:
        before = clock.now() - timedelta(minutes=1)  # a coupon of this very basket is for the next time
        views = rewards.of_member(session, member.id)
        usable = next((view for view in views if view.usable and view.coupon.issued_at < before), None)
        if usable is not None:
            rewards.redeem(session, usable.code, till=till, purchase_id=purchase_id)

    def _count_try(self, person: Person) -> sign_in.Try | None:
        browser = _browser(person)
        with self._database.reading(self._brand_id) as session:
            code = codes.newest(session, browser=browser)
        if code is None:  # the worker lives in the present and has tidied this old code away
            with self._database.unit(self._brand_id) as session:
                code = members.ask_again(session, self._member(session, person), browser=browser)
        return codes.count_try(self._database, self._brand_id, code.public_id) if code else None

    def _confirm(self, session: Session, step: Confirm, attempt: sign_in.Try) -> None:
        browser = _browser(step.person)
        code = codes.newest(session, browser=browser)
        if code is None:
            raise codes.CodeUnusable  # tidied away since the try was counted
        sent = sign_in.message(session, code.id)
        if sent is None or sent.digits is None:
            return
        done = sign_in.confirm(session, attempt, digits=sent.digits, browser=browser)
        welcome.welcome(session, session.get_one(Member, done.member_id), contact=sent.to)

    def _member(self, session: Session, person: Person) -> Member:
        if person.number not in self._ids:
            wanted = select(Contact.member_id).where(Contact.value == person.contact).order_by(Contact.id).limit(1)
            self._ids[person.number] = session.scalars(wanted).one()
        member = members.live(session, self._ids[person.number])
        if member is None:
            raise MemberGone("This member has been erased.")
        return member

    def _run_jobs(self, session: Session) -> None:
        """Do the database part of what the step queued; what would be sent was read long ago."""
        mine = select(Job).where(Job.brand_id == self._brand_id, Job.state == "queued", Job.created_at < self._end)
        kinds = jobs.kinds()
        events.write_waiting(session)
        while rows := session.scalars(mine).all():
            for row in rows:
                session.execute(delete(Job).where(Job.id == row.id))
                if not (kinds[row.name].sends or kinds[row.name].long):
                    kinds[row.name].run(session, **json.loads(row.arguments))
            events.write_waiting(session)


def _at_member_price(step: Buy) -> tuple[tuple[Line, ...], Wishes]:
    """Return the lines of a basket with a bun at the member price, of others none."""
    if not isinstance(step, MorningBuy):
        return (), Wishes()
    coffee = Line(sku="coffee", group="coffee", unit_price_cents=step.cents - BUN_CENTS)
    bun = Line(sku="bun", group="bun", unit_price_cents=BUN_CENTS)
    return (coffee, bun), Wishes(offers=(Wanted(2, OFFER, bun, BUN_NORMAL_CENTS),))


def _browser(person: Person) -> str:
    return f"demo-history-{person.number}"


def _last_full_hour() -> datetime:
    return clock.now().replace(minute=0, second=0, microsecond=0)
