"""Simulating in the console: a version over past purchases, at once where there are few, by a worker where not."""

from contextlib import nullcontext

from flask import Response, g, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from app.cards import simulations, versions
from app.cards.models import ProgramVersion
from app.cards.simulate import Question, check
from app.cards.simulated import Simulation
from app.cards.versions import VersionUnknown
from app.core import web
from app.core.errors import LeimaError, NotFound
from app.core.i18n import gettext as _
from app.doors.brand import simulation_shape as shape
from app.doors.brand.door import blueprint
from app.doors.brand.programs import DRAFT, find, show, shown_version


@blueprint.post("/programs/<program>/simulations")
def simulate_version(program: str) -> Response | BaseResponse:
    """Ask for a simulation; the same question again leads to the same run, unless it is to be counted again."""
    again = request.form.get("again", "")
    try:
        asked, version, answer = _look(program, again=bool(again))
        session = web.session()
        found = find(program)
        if again:
            simulations.make_room(session, simulations.find(session, found, again))
        run = simulations.ask(session, found, asked, staff=g.staff, answer=answer)
    except NotFound:
        raise
    except LeimaError as error:
        web.end_unit(keep=False)  # the page only reads: nobody waits for it to be drawn
        return show(find(program), fault=error.message, status=error.status)
    return redirect(f"/brand/programs/{found.slug}?version={version}&run={run.public_id}#simulate", 303)


def _look(program: str, *, again: bool) -> tuple[Question, str, Simulation | None]:
    """Return what is asked, the version's place in the address, and the answer where it takes no time.

    It is read before the request's unit begins: nobody waits for the write lock while rules are run.

    Raises:
        VersionUnknown: there is nothing to simulate.
        NothingToSimulate, PeriodInvalid, MarginInvalid: the question makes no sense.
    """
    with web.database().reading(g.brand_id) as reading:
        found = find(program, reading)
        row, _before = shown_version(reading, found, versions.versions(reading, found))
        if row is None:
            raise VersionUnknown(_("There is no such version."))
        asked = shape.question(reading, found, row)
        check(asked)
        version = str(row.number) if isinstance(row, ProgramVersion) else DRAFT
        if simulations.standing(reading, found, asked) and not again:
            return asked, version, None
        return asked, version, simulations.at_once(lambda: nullcontext(reading), asked)
