"""New programs and drafts: a form for each kind, the whole plan as text, and the card as it will look."""

from dataclasses import dataclass, field
from typing import Any

from flask import Response, g, redirect, request
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from werkzeug.wrappers import Response as BaseResponse

from app.cards import plan_forms, plan_text, rules, versions
from app.cards.form_values import Reader
from app.cards.models import Program
from app.cards.plan_text import PlanFault, PlanFaults
from app.cards.rules import Plan
from app.cards.versions import Content, ContentInvalid
from app.core import i18n, web
from app.core.errors import LeimaError
from app.core.i18n import gettext as _
from app.doors.brand import program_shape as shape
from app.doors.brand.door import blueprint, page
from app.doors.brand.preview import preview
from app.doors.brand.program_fields import DEFAULTS, UNITS, beside, languages, limits, texts
from app.doors.brand.programs import find, whole
from app.doors.brand.roles import demand_change
from app.network.setup import Slug
from app.rewards.models import Reward

_SLUG = TypeAdapter(Slug)
RESERVED = ("new", "preview")  # are pages of the console
MOST = 200_000  # bytes of the form


@dataclass
class Entered:
    """What a form says: names, the unit, and the content where it can be used."""

    kind: str
    form: dict[str, str]
    name: dict[str, str]
    unit: dict[str, list[str]]
    content: Content | None = None
    errors: dict[str, str] = field(default_factory=dict)
    faults: list[PlanFault] = field(default_factory=list)

    @property
    def fine(self) -> bool:
        """Tell whether it can be saved."""
        return self.content is not None and not self.errors and not self.faults


def enter(kind: str) -> Entered:
    """Read the form that was sent."""
    form = {name: value[: plan_text.LONGEST] for name, value in request.form.items()}
    reader = Reader(form)
    name, unit = texts(reader)
    entered = Entered(kind, form, name, unit)
    plan = _plan(entered)
    reward = _reward(form) if kind == "stamp_card" else None
    size = reader.whole("size", low=1, high=versions.MOST_SIZE, needed=True) if kind == "stamp_card" else None
    if kind == "stamp_card" and reward is None:
        reader.errors.setdefault("reward", _("Choose what a full card gives."))
    entered.errors |= reader.errors
    if plan is not None:
        entered.content = Content(plan, size, reward.id if reward else None)
        _check(entered)
    return entered


def _check(entered: Entered) -> None:
    if entered.errors or entered.content is None:
        return
    try:
        versions.check(web.session(), entered.kind, entered.content)
    except ContentInvalid as error:
        entered.errors[error.extra["field"]] = error.message


def _plan(entered: Entered) -> Plan | None:
    """Return the plan by the fields, or by the text where the person wrote that."""
    if entered.form.get("source") == "text":
        try:
            return plan_text.read(entered.kind, entered.form.get("plan", ""))
        except PlanFaults as told:
            entered.faults, entered.form["plan"] = told.faults, told.text
            return None
    data, errors = plan_forms.to_plan(entered.kind, entered.form)
    entered.errors |= errors
    if errors:
        return None
    try:
        plan = rules.parse(entered.kind, data)
    except ValidationError as error:
        entered.errors["rule"] = "; ".join(one["msg"].removeprefix("Value error, ") for one in error.errors())
        return None
    entered.form["plan"] = plan_text.written(plan.to_json())
    return plan


def _reward(form: dict[str, str]) -> Reward | None:
    return web.session().scalar(select(Reward).where(Reward.slug == form.get("reward", "")[:40]))


@blueprint.get("/programs/new")
def new_program() -> Response:
    """Ask for the kind, then for what it needs."""
    demand_change()
    kind = request.args.get("kind", "")
    if kind not in plan_forms.KINDS:
        return page("program_kinds", here="programs", kinds=shape.kinds())
    form = {"source": "fields", **DEFAULTS[kind]}
    for language in languages():
        one, many = UNITS[kind][language["code"]]
        form |= {f"unit_one_{language['code']}": one, f"unit_many_{language['code']}": many}
    data, _errors = plan_forms.to_plan(kind, form)
    form["plan"] = plan_text.written(data)
    return _form(Entered(kind, form, {}, {}))


@blueprint.post("/programs/new")
@web.takes(MOST)
def make_program() -> Response | BaseResponse:
    """Make a program with its first draft; nobody earns before it is published."""
    demand_change()
    kind = request.form.get("kind", "")
    if kind not in plan_forms.KINDS:
        return redirect("/brand/programs/new", 303)
    entered = enter(kind)
    slug = request.form.get("slug", "").strip()
    if "show" in request.form:
        return _form(entered)
    try:
        if _SLUG.validate_python(slug) in RESERVED:
            entered.errors["slug"] = _("This word is taken by the console itself.")
    except ValidationError:
        entered.errors["slug"] = _("A short name has 1 to 40 of a–z, 0–9 and -.")
    if not entered.fine or entered.content is None:
        return _form(entered, 422)
    return _made(entered, entered.content, slug)


def _made(entered: Entered, content: Content, slug: str) -> Response | BaseResponse:
    session = web.session()
    last = session.scalar(select(func.max(Program.position))) or 0
    program = Program(slug=slug, kind=entered.kind, name=entered.name, unit=entered.unit, position=last + 1)
    try:
        with session.begin_nested():
            session.add(program)
            session.flush()
    except IntegrityError:
        found = session.scalar(select(Program).where(Program.slug == slug))
        saved = versions.draft(session, found) if found else None
        same = found and saved and found.name == entered.name and versions.says(found.kind, saved, content)
        if same:  # the second click of two
            return redirect(f"/brand/programs/{slug}?done=saved", 303)
        entered.errors["slug"] = _("A program has this short name already.")
        return _form(entered, 409)
    versions.save_draft(session, program, content, staff=g.staff)
    return redirect(f"/brand/programs/{slug}?done=saved", 303)


@blueprint.get("/programs/<program>/edit")
def edit_program(program: str) -> Response:
    """Show the draft, or a planned version, or what is in force, to be changed."""
    demand_change()
    found, session = find(program), web.session()
    number = whole(request.args.get("version", ""))
    row = versions.planned(session, found, number) if number else None
    source = row or versions.draft(session, found) or versions.current(session, found)
    content = Content.of(found.kind, source) if source else None
    return _form(_filled(found, content), program=found, number=number)


def _filled(found: Program, content: Content | None) -> Entered:
    form = {"source": "fields"}
    for code, text in found.name.items():
        form[f"name_{code}"] = text
    for code, words in found.unit.items():
        form |= {f"unit_one_{code}": words[0], f"unit_many_{code}": words[-1]}
    if content is not None:
        form |= plan_forms.from_plan(found.kind, content.plan)
        form["plan"] = plan_text.written(content.plan.to_json())
        form["source"] = "fields" if plan_forms.covers(found.kind, content.plan) else "text"
        reward = web.session().get(Reward, content.reward_id) if content.reward_id else None
        form |= {"size": str(content.size or ""), "reward": reward.slug if reward else ""}
    return Entered(found.kind, form, found.name, found.unit, content)


@blueprint.post("/programs/<program>/edit")
@web.takes(MOST)
def save_program(program: str) -> Response | BaseResponse:
    """Save names at once, and what the program says as the draft or the planned version."""
    demand_change()
    found, session = find(program), web.session()
    number = whole(request.form.get("version", ""))
    entered = enter(found.kind)
    if "show" in request.form:
        return _form(entered, program=found, number=number)
    if not entered.fine or entered.content is None:
        return _form(entered, 422, program=found, number=number)
    found.name, found.unit = {**found.name, **entered.name}, {**found.unit, **entered.unit}
    try:
        if number:
            versions.change_planned(session, found, number, content=entered.content, staff=g.staff)
        else:
            versions.save_draft(session, found, entered.content, staff=g.staff)
    except LeimaError as error:
        web.end_unit(keep=False)
        entered.errors["form"] = error.message
        return _form(entered, error.status, program=find(program), number=number)
    done = f"changed&version={number}" if number else "saved"
    return redirect(f"/brand/programs/{found.slug}?done={done}", 303)


@blueprint.post("/programs/preview")
@web.takes(MOST)
def preview_program() -> Response:
    """Draw the card of the form that is being filled in; the page's script puts it beside the form."""
    demand_change()
    kind = request.form.get("kind", "")
    entered = enter(kind if kind in plan_forms.KINDS else "stamp_card")
    return web.page("brand/_preview.html", preview=_preview(entered))


def _preview(entered: Entered) -> dict[str, Any]:
    session = web.session()
    content = entered.content
    size = Reader(entered.form).whole("size", low=1, high=versions.MOST_SIZE)
    reward = _reward(entered.form) or (
        session.get(Reward, content.reward_id) if content and content.reward_id else None
    )
    return preview(
        entered.kind, content.plan if content else None, name=entered.name, unit=entered.unit, size=size, reward=reward,
        rewards=shape.reward_names(session),
    )  # fmt: skip


def _form(entered: Entered, status: int = 200, *, program: Program | None = None, number: int = 0) -> Response:
    session = web.session()
    title = i18n.pick(program.name) if program else shape.kinds()[entered.kind][0]
    return page(
        "program_edit", status, here="programs", kind=entered.kind, title=title, form=entered.form,
        errors=entered.errors, faults=entered.faults, slug=program.slug if program else "", number=number,
        languages=languages(), rewards=shape.reward_names(session), rows=range(1, plan_forms.ROWS + 1),
        months=[(n, i18n.month(n)) for n in range(1, 13)], extras=entered.kind in plan_forms.WITH_EXTRAS,
        limits=limits(), preview=_preview(entered), beside=beside(entered.kind),
    )  # fmt: skip
