"""A new member signs up at the till; contact and consents are confirmed later, on the member's own phone."""

from typing import Any

from flask import Response, g, request
from sqlalchemy.orm import Session

from app.cards import welcome
from app.core import clock, i18n, web
from app.core.crypto import new_id
from app.core.errors import LeimaError
from app.core.i18n import gettext as _
from app.doors.idempotency import answered, once
from app.doors.till.door import attempt, blueprint, go, page
from app.members import forms, lookup, scans, sign_in, wordings
from app.members import service as members
from app.members.models import Scan
from app.network import tills
from app.network.tills import TillPlace


@blueprint.get("/members")
def join() -> Response:
    """Show the form."""
    return _page({"contact": "", "contact_2": "", "first_name": "", "consents": frozenset(), "of_age": False})


def _page(form: dict[str, Any], status: int = 200, *, errors: dict[str, str] | None = None) -> Response:
    session = web.session()
    no_faults = dict.fromkeys(("contact", "contact_2", "first_name", "of_age"), "")
    titles = {"email": _("Email"), "sms": _("Text messages"), "push": _("Notifications")}
    offered = wordings.offered(session, i18n.language())
    consents = [{"name": channel, "title": titles[channel], "sentence": text.text} for channel, text in offered.items()]
    return page(
        "members", status, key=new_id(clock.now()), form=form, errors=no_faults | (errors or {}), consents=consents,
        min_age=g.brand.lowest_age, gift=gift.title if (gift := welcome.promised(session)) else "",
    )  # fmt: skip


@blueprint.post("/members")
def do_join() -> Response:
    """Make the card; known and unknown contacts get the same answer."""
    return attempt(_counted, _refused)


def _counted() -> Response:
    if not answered(request.form.get("key", "")):
        contact = request.form.get("contact", "")
        sign_in.count_ask(web.database(), g.brand_id, contact=contact, address=f"till:{g.till_id}")
    return once(_join)


def _join() -> Response:
    session, posted = web.session(), request.form
    place = tills.till_place(session, g.till_id)
    form = forms.JoinForm(
        contact=posted.get("contact", ""), contact_2=posted.get("contact_2") or None,
        first_name=posted.get("first_name") or None, age=posted.get("of_age") == "yes",
        language=i18n.language(), source="till", outlet_slug=place.outlet.slug,
        consents=frozenset(posted.getlist("consent")),
    )  # fmt: skip
    return go(f"/till/scan/{sign_up(session, form, place).public_id}")


def sign_up(session: Session, form: forms.JoinForm, place: TillPlace) -> Scan:
    """Make a member with a card, and a scan that lets this till stamp at once.

    Raises:
        Invalid: one of `forms.FAULTS`, or `SeveralFaults`.
    """
    joined = members.join(session, form)
    if g.brand.welcome_at_till:
        welcome.welcome(session, joined.member, contact=joined.contact.value, till=place.till)
    return scans.read(session, lookup.codes_of(session, joined.member.id).spoken, till=place.till)


def _refused(error: LeimaError) -> Response:
    """Show the form again with what was typed; each fault beside its field."""
    posted, errors = request.form, forms.fields(error)
    shown = {"age": "of_age", "contact_2": "contact_2", "first_name": "first_name"}
    texts = {shown.get(field, "contact"): sentence for field, sentence in errors.items()}
    typed = {
        "contact": posted.get("contact", "")[:200], "contact_2": posted.get("contact_2", "")[:200],
        "first_name": posted.get("first_name", "")[:80], "consents": frozenset(posted.getlist("consent")),
        "of_age": posted.get("of_age") == "yes",
    }  # fmt: skip
    return _page(typed, error.status, errors=texts)
