"""Rewards in the console: the list, one of every kind to make and change, and the answers to an invitation."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, g, redirect, request
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from app.cards.form_values import Reader, euros, hundredths, percent_text
from app.core import clock, i18n, web
from app.core.i18n import gettext as _
from app.core.money import MAX_CENTS
from app.doors.brand.door import blueprint, page
from app.doors.brand.program_fields import languages
from app.doors.brand.roles import demand_change, may_change
from app.members.rules import display_name
from app.network.models import CostCentre, Outlet
from app.network.setup import Slug
from app.rewards import catalog
from app.rewards.catalog import RewardInvalid, RewardTaken
from app.rewards.models import REWARD_KINDS, Reward
from app.rewards.rules import MEASURED
from app.rewards.setup import TIED

_SLUG = TypeAdapter(Slug)
ICONS = ("cup", "bun", "tag")
RESERVED = ("new",)
MOST = 200_000  # bytes of the form


def kinds() -> dict[str, str]:
    """Return each kind of reward, for people."""
    return {
        "product": _("A product"), "discount_cents": _("Euros off"), "discount_percent": _("Percent off"),
        "gift_card": _("Gift card"), "service": _("A service"), "invitation": _("Invitation"),
        "free_text": _("Something else"),
    }  # fmt: skip


@blueprint.get("/rewards")
def rewards() -> Response:
    """List the rewards, with how many were given and used."""
    session = web.session()
    uses = catalog.uses(session)
    rows = []
    for reward in session.scalars(select(Reward).order_by(Reward.slug)):
        use = uses.get(reward.id, catalog.Use(0, 0))
        rows.append(
            {"slug": reward.slug, "name": i18n.pick(reward.name), "kind": kinds()[reward.kind],
             "face": _worth(reward), "cost": _cost(reward), "given": use.given, "redeemed": use.redeemed,
             "seats": f"{reward.seats_taken}/{reward.seats}" if reward.seats else ""}
        )  # fmt: skip
    return page("rewards", here="rewards", rewards=rows, may_change=may_change(), notice=_notice())


def _notice() -> str:
    return {"saved": _("Saved. Coupons that are given from now on follow it.")}.get(request.args.get("done", ""), "")


def _worth(reward: Reward) -> str:
    if reward.percent_bp:
        return f"{percent_text(reward.percent_bp)}\u00a0%"
    if reward.sold_up_to_cents and reward.sold_up_to_cents > reward.face_cents:
        return f"{i18n.format_cents(reward.face_cents)}–{i18n.format_cents(reward.sold_up_to_cents)}"
    return i18n.format_cents(reward.face_cents) if reward.face_cents else "–"


def _cost(reward: Reward) -> str:
    if reward.kind in (*MEASURED, "gift_card"):
        return _("what it took off + %(fee)s", fee=i18n.format_cents(reward.fee_cents))
    return i18n.format_cents(reward.settlement_cents + reward.fee_cents)


@blueprint.get("/rewards/new")
def new_reward() -> Response:
    """Show the form of a new reward."""
    demand_change()
    return _form({"kind": "product", "icon": "cup", "valid_days": "60"}, {})


@blueprint.post("/rewards/new")
@web.takes(MOST)
def make_reward() -> Response | BaseResponse:
    """Make a reward; the same form twice makes one."""
    demand_change()
    return _save(None)


@blueprint.get("/rewards/<reward>")
def reward(reward: str) -> Response:
    """Show a reward, its form for who may change it, and the answers where it is an invitation."""
    found = catalog.find(web.session(), reward)
    return _form(_filled(found), {}, known=found)


@blueprint.post("/rewards/<reward>")
@web.takes(MOST)
def change_reward(reward: str) -> Response | BaseResponse:
    """Change a reward."""
    demand_change()
    return _save(catalog.find(web.session(), reward))


def _save(known: Reward | None) -> Response | BaseResponse:
    form = {name: value[:2000] for name, value in request.form.items()}
    reader = Reader(form)
    slug = known.slug if known else _slug(reader)
    values = _values(reader)
    if not reader.errors:
        try:
            catalog.save(web.session(), slug, values, known=known)
        except (RewardInvalid, RewardTaken) as error:
            reader.errors[_field(error.extra["field"])] = error.message
            return _again(form, reader.errors, known, error.status)
        return redirect("/brand/rewards?done=saved", 303)
    return _again(form, reader.errors, known, 422)


def _again(form: dict[str, str], errors: dict[str, str], known: Reward | None, status: int) -> Response:
    web.end_unit(keep=False)  # the page only reads: nobody waits for it to be drawn
    found = catalog.find(web.session(), known.slug) if known else None
    return _form(form, errors, known=found, status=status)


def _slug(reader: Reader) -> str:
    text = reader.text("slug")
    try:
        if _SLUG.validate_python(text) in RESERVED:
            reader.errors["slug"] = _("This word is taken by the console itself.")
    except ValidationError:
        reader.errors["slug"] = _("A short name has 1 to 40 of a–z, 0–9 and -.")
    return text


COLUMNS = {
    "face_cents": "face",
    "percent_bp": "percent",
    "cap_cents": "cap",
    "sold_up_to_cents": "sold_up_to",
}  # column → field of the form


def _field(column: str) -> str:
    return COLUMNS.get(column, column)


def _values(reader: Reader) -> dict[str, Any]:
    """Return the columns that a form says; what its kind does not have is left out."""
    kind = reader.choice("kind", REWARD_KINDS)
    codes = [language["code"] for language in languages()]
    for code in codes:
        if not reader.text(f"name_{code}"):
            reader.needs(f"name_{code}")
    settles = kind not in (*MEASURED, "gift_card")
    values: dict[str, Any] = {
        "kind": kind, "icon": reader.choice("icon", ICONS),
        "name": {code: reader.text(f"name_{code}")[:80] for code in codes},
        "terms": {code: text for code in codes if (text := reader.text(f"terms_{code}"))},
        "face_cents": reader.cents("face", most=MAX_CENTS) or 0,
        "settlement_cents": (reader.cents("settlement", most=MAX_CENTS) or 0) if settles else 0,
        "fee_cents": reader.cents("fee", most=MAX_CENTS) or 0, "cost_centre_id": _centre(reader),
        "vat_code": reader.text("vat_code")[:20], "campaign": reader.text("campaign")[:40] or None,
        "valid_days": reader.whole("valid_days", low=1, high=3650, needed=True),
        "valid_from": _moment(reader, "valid_from"), "valid_until": _moment(reader, "valid_until"),
        "min_basket_cents": reader.cents("min_basket", most=MAX_CENTS) or 0,
        "outlets": [slug for slug in _outlets() if reader.text(f"outlet_{slug}")],
        "percent_bp": reader.percent("percent", low=1) or None,
        "cap_cents": reader.cents("cap", most=MAX_CENTS) or None,
        "skus": reader.names("skus"), "groups": reader.names("groups"),
        "seats": reader.whole("seats", low=1, high=100_000),
        "sold_up_to_cents": (reader.cents("sold_up_to", most=MAX_CENTS) or None) if kind == "gift_card" else None,
    }  # fmt: skip
    for name, allowed in TIED.items():
        if kind not in allowed:
            values[name] = [] if name in ("skus", "groups") else None
    return values


def _centre(reader: Reader) -> int | None:
    slug = reader.text("cost_centre")
    return web.session().scalar(select(CostCentre.id).where(CostCentre.slug == slug)) if slug else None


def _outlets() -> dict[str, str]:
    return dict(web.session().execute(select(Outlet.slug, Outlet.name).order_by(Outlet.name)).all())


def _moment(reader: Reader, name: str) -> datetime | None:
    text = reader.text(name)
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(g.brand.zone)).astimezone(UTC)
    except ValueError:
        reader.errors[name] = _("Write a day and a time.")
        return None


def _filled(row: Reward) -> dict[str, str]:
    centre = web.session().get(CostCentre, row.cost_centre_id) if row.cost_centre_id else None
    money = {"face": row.face_cents, "settlement": row.settlement_cents, "fee": row.fee_cents,
             "cap": row.cap_cents, "min_basket": row.min_basket_cents, "sold_up_to": row.sold_up_to_cents}  # fmt: skip
    form = {name: euros(cents) for name, cents in money.items() if cents}
    form |= {f"name_{code}": text for code, text in row.name.items()}
    form |= {f"terms_{code}": text for code, text in row.terms.items()}
    form |= {f"outlet_{slug}": "1" for slug in row.outlets}
    zone = ZoneInfo(g.brand.zone)
    for name in ("valid_from", "valid_until"):
        at = getattr(row, name)
        form[name] = at.astimezone(zone).strftime("%Y-%m-%dT%H:%M") if at else ""
    return form | {
        "kind": row.kind, "icon": row.icon, "valid_days": str(row.valid_days), "vat_code": row.vat_code,
        "campaign": row.campaign or "", "percent": percent_text(row.percent_bp) if row.percent_bp else "",
        "skus": ", ".join(row.skus), "groups": ", ".join(row.groups), "seats": str(row.seats or ""),
        "cost_centre": centre.slug if centre else "",
    }  # fmt: skip


def _form(form: dict[str, str], errors: dict[str, str], *, known: Reward | None = None, status: int = 200) -> Response:
    session = web.session()
    centres = dict(session.execute(select(CostCentre.slug, CostCentre.name).order_by(CostCentre.name)).all())
    return page(
        "reward", status, here="rewards", form=form, errors=errors, slug=known.slug if known else "",
        title=i18n.pick(known.name) if known else _("New reward"), kinds=kinds(), languages=languages(),
        centres=centres, outlets=_outlets(), may_change=may_change(),
        icons={"cup": _("Cup"), "bun": _("Bun"), "tag": _("Tag")},
        invitation=_invitation(known) if known and known.kind == "invitation" else None,
        sold=_sold(form),
    )  # fmt: skip


def _sold(form: dict[str, str]) -> str:
    """Say what tills offer by what stands in the form; empty where they sell none."""
    least, most = (hundredths(form.get(name, "")) for name in ("face", "sold_up_to"))
    if form.get("kind") != "gift_card" or not least or not most or not least <= most <= MAX_CENTS:
        return ""
    values = {"least": i18n.format_cents(least), "most": i18n.format_cents(most)}
    if least == most:
        return _("Tills sell it for %(most)s.", **values)
    return _("Tills sell it at any value from %(least)s to %(most)s.", **values)


def _invitation(row: Reward) -> dict[str, Any]:
    answers = {"yes": _("comes"), "no": _("does not come")}
    return {
        "seats": row.seats, "taken": row.seats_taken,
        "replies": [
            {"id": member.public_id, "name": display_name(member.first_name, member.last_name),
             "comes": reply.answer == "yes", "answer": answers[reply.answer], "seats": reply.seats,
             "at": i18n.format_day(clock.local_date(reply.at, g.brand.zone), with_year=True)}
            for reply, member in catalog.replies(web.session(), row)
        ],
    }  # fmt: skip
