"""Programs in the console: the list, a version beside the one before it, publishing and withdrawing."""

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from flask import Response, g, redirect, request
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from app.cards import rules, versions, views, wording
from app.cards.models import Program, ProgramVersion
from app.cards.paying import ProgramUnknown
from app.cards.simulate import REPLAYED
from app.cards.versions import Content, VersionUnknown
from app.core import clock, i18n, web
from app.core.errors import LeimaError
from app.core.i18n import gettext as _
from app.doors.brand import program_shape as shape
from app.doors.brand import simulation_shape
from app.doors.brand.door import blueprint, page
from app.doors.brand.roles import demand_change, may_change
from app.reports import program_list as reports

DRAFT = "draft"  # in the place of a version's number


def find(slug: str, session: Session | None = None) -> Program:
    """Return a program of this brand, in the request's session unless another is given.

    Raises:
        ProgramUnknown
    """
    program = (session or web.session()).scalar(select(Program).where(Program.slug == slug))
    if program is None:
        raise ProgramUnknown(_("There is no such program."))
    return program


def whole(text: str) -> int:
    """Return the number of a version; 0, which none has, where it is no number."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0


@blueprint.get("/programs")
def programs() -> Response:
    """List the programs: what each is, who holds something, and which versions hold and wait."""
    session = web.session()
    figures = reports.figures(session)
    rows = []
    for program in session.scalars(select(Program).order_by(Program.position, Program.id)):
        shown = shape.version_rows(session, program, versions.versions(session, program))
        found = figures.get(program.id, reports.Figures(0, 0))
        rows.append(
            {"slug": program.slug, "name": i18n.pick(program.name), "kind": shape.kinds()[program.kind][0],
             "unit": views.unit(program.unit)[1], "members": found.members, "issued": found.issued,
             "current": next((row for row in shown if row["state"] == "current"), None),
             "planned": [row for row in shown if row["state"] == "planned"],
             "draft": versions.draft(session, program) is not None}
        )  # fmt: skip
    return page("programs", here="programs", programs=rows, may_change=may_change())


@blueprint.get("/programs/<program>")
def program(program: str) -> Response:
    """Show a version beside the one before it, and what can be done with it."""
    return show(find(program))


def show(found: Program, *, error: str = "", fault: str = "", status: int = 200) -> Response:
    """Show the page; `error` says why what was asked for was not done, `fault` why nothing was simulated."""
    session = web.session()
    rows = versions.versions(session, found)
    draft = versions.draft(session, found)
    row, before = shown_version(session, found, rows)
    number = row.number if isinstance(row, ProgramVersion) else None
    shown = shape.version_rows(session, found, rows)
    return page(
        "program", status, here="programs", may_change=may_change(), error=error,
        program={"slug": found.slug, "name": i18n.pick(found.name), "unit": views.unit(found.unit)[1],
                 "kind": shape.kinds()[found.kind][0]},
        versions=shown, gone=shape.gone_rows(session, found),
        number=number, is_draft=row is not None and number is None,
        state=next((one["state"] for one in shown if one["number"] == number), ""),
        before=before.number if before else None,
        differences=wording.difference(shape.sentences(session, found, before), shape.sentences(session, found, row)),
        draft={"by": shape.who(session, draft.saved_by), "at": shape.moment(draft.saved_at)} if draft else None,
        newest=rows[0].number if rows else 0, seen=_seal(found, row), begins=_local(row),
        can_simulate=found.kind in REPLAYED and row is not None, fault=fault, notice=_notice(),
        **simulation_shape.shown(session, found, row),
    )  # fmt: skip


def _notice() -> str:
    return {
        "saved": _("Saved. Nothing changes for members until you publish it."),
        "changed": _("Saved. It begins as planned."),
        "published": _("Published. It holds from now on."),
        "planned": _("Planned. It begins by itself."),
        "moved": _("The planned version begins at another time."),
        "withdrawn": _("Withdrawn. What it said is the draft now, unless there was one."),
        "discarded": _("The draft is gone."),
    }.get(request.args.get("done", ""), "")


def shown_version(
    session: Session, found: Program, rows: list[ProgramVersion]
) -> tuple[shape.Row | None, ProgramVersion | None]:
    """Return what is shown, by the address or the draft or the newest version, and what it is compared with.

    Raises:
        VersionUnknown: the address or the form names none.
    """
    wish = request.values.get("version", "")
    draft = versions.draft(session, found)
    if wish in ("", DRAFT) and draft is not None:
        return draft, versions.current(session, found)
    if wish and wish != DRAFT:
        row = versions.version(session, found, whole(wish))
        return row, next((one for one in rows if one.number < row.number), None)
    if wish == DRAFT:
        raise VersionUnknown(_("There is no such version."))
    return (rows[0], rows[1] if len(rows) > 1 else None) if rows else (None, None)


def _seal(found: Program, row: shape.Row | None) -> str:
    """Return what the page showed as the draft, for the form: only that is published."""
    return json.dumps(Content.of(found.kind, row).columns) if row is not None else ""


def _local(row: shape.Row | None) -> str:
    """Return when a version begins, as a field of date and time writes it."""
    at = row.valid_from if isinstance(row, ProgramVersion) else clock.now() + timedelta(days=1)
    return at.astimezone(ZoneInfo(g.brand.zone)).strftime("%Y-%m-%dT%H:%M")


@blueprint.post("/programs/<program>/publish")
def publish_version(program: str) -> Response | BaseResponse:
    """Publish the draft, now or at a time; the same click twice publishes once."""
    demand_change()
    found = find(program)
    later = request.form.get("when") == "later"
    try:
        versions.publish(
            web.session(), found, based_on=whole(request.form.get("newest", "")),
            content=_seen(found), staff=g.staff, at=_begins() if later else None,
        )  # fmt: skip
    except LeimaError as error:
        return _again(found, error)
    return _done(found, "planned" if later else "published")


def _seen(found: Program) -> Content:
    """Return what the form says that the page showed.

    Raises:
        VersionConflict: it is none; somebody bent the form.
    """
    try:
        values = json.loads(request.form.get("seen", ""))
        return Content(rules.parse(found.kind, values["rule"]), values["size"], values["reward_id"])
    except (ValueError, KeyError, TypeError):
        raise versions.VersionConflict(_("The draft was changed meanwhile. Look at it first.")) from None


def _begins() -> datetime:
    try:
        local = datetime.fromisoformat(request.form.get("begins", ""))
    except ValueError:
        raise versions.BeginInvalid(_("Choose a moment that is still to come, within two years.")) from None
    return local.replace(tzinfo=ZoneInfo(g.brand.zone)).astimezone(UTC)


@blueprint.post("/programs/<program>/versions/<number>/move")
def move_version(program: str, number: str) -> Response | BaseResponse:
    """Let a version that has not begun begin at another time."""
    demand_change()
    found = find(program)
    try:
        versions.change_planned(web.session(), found, whole(number), at=_begins(), staff=g.staff)
    except VersionUnknown:
        raise
    except LeimaError as error:
        return _again(found, error)
    return _done(found, "moved", f"&version={number}")


@blueprint.post("/programs/<program>/versions/<number>/withdraw")
def withdraw_version(program: str, number: str) -> Response | BaseResponse:
    """Take back a version that has not begun."""
    demand_change()
    found = find(program)
    try:
        versions.withdraw(web.session(), found, whole(number), staff=g.staff)
    except VersionUnknown:  # the second click of two
        return _done(found, "")
    except LeimaError as error:
        return _again(found, error)
    return _done(found, "withdrawn")


@blueprint.post("/programs/<program>/discard")
def discard_draft(program: str) -> BaseResponse:
    """Throw the draft away."""
    demand_change()
    found = find(program)
    versions.discard_draft(web.session(), found, staff=g.staff)
    return _done(found, "discarded")


def _done(found: Program, what: str, more: str = "") -> BaseResponse:
    return redirect(f"/brand/programs/{found.slug}?done={what}{more}", 303)


def _again(found: Program, error: LeimaError) -> Response:
    web.end_unit(keep=False)  # the page only reads: nobody waits for it to be drawn
    return show(find(found.slug), error=error.message, status=error.status)
