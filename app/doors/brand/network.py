"""Outlets and people: who and what a till names by public id, to look up. No key, PIN or password is ever shown."""

from datetime import date, datetime
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from flask import Response, g, request

from app.core import clock, i18n, web
from app.core.i18n import gettext as _
from app.doors.brand.door import blueprint, page, role_names
from app.network.models import BRAND_ROLES
from app.network.pins import MAY_APPROVE
from app.network.staff import has_left
from app.reports import directory
from app.reports.directory import OutletRow, PersonRow, TillRow

MAY_SEE_EMAILS = ("brand_admin",)  # others tell people by name, reseller and role


@blueprint.get("/outlets")
def outlets() -> Response:
    """Show outlets by reseller and chain with their tills, 50 outlets on a page."""
    q, number = _asked()
    found = directory.outlets(web.session(), q=q, page=number)
    groups = groupby(found.rows, key=lambda row: (row.reseller.id, row.chain.id if row.chain else None))
    return page(
        "outlets", here="outlets", groups=[_group(list(rows)) for _key, rows in groups],
        **_pager("/brand/outlets", q, found),
    )  # fmt: skip


def _asked() -> tuple[str, int]:
    """Return what is searched for, and the page: a whole number from 1."""
    text = request.args.get("page", "")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 1
    return request.args.get("q", "").strip()[: directory.LONGEST], number


def _pager(path: str, q: str, found: directory.Page[Any]) -> dict[str, Any]:
    first = (found.number - 1) * directory.PAGE + 1

    def url(number: int) -> str:
        return f"{path}?" + urlencode({**({"q": q} if q else {}), "page": number})

    return {
        "q": q, "total": found.total, "first": first, "last": first + len(found.rows) - 1,
        "previous": url(found.number - 1) if found.number > 1 else None,
        "following": url(found.number + 1) if found.number < found.pages else None,
    }  # fmt: skip


def _group(rows: list[OutletRow]) -> dict[str, Any]:
    chain = rows[0].chain
    return {
        "reseller": rows[0].reseller.name,
        "chain": chain.name if chain else "",
        "outlets": [_outlet(row) for row in rows],
    }


def _outlet(row: OutletRow) -> dict[str, Any]:
    outlet = row.outlet
    kind = {"web": _("Online shop"), "kiosk": _("Kiosk")}.get(outlet.kind, "")
    return {
        "name": outlet.name, "slug": outlet.slug,
        "where": ", ".join(filter(None, (outlet.street, outlet.city))) or kind,
        "tills": [_till(till) for till in row.tills],
    }  # fmt: skip


def _till(row: TillRow) -> dict[str, str]:
    till = row.till
    if till.key_hash is not None and till.revoked_at is None:
        tone, key = "granted", _("has a key")
    elif till.revoked_at is not None:
        tone, key = "withdrawn", _("ended %(day)s", day=_day_of(till.revoked_at))
    else:
        tone, key = "pending", _("no key yet")
    last = _day(row.last_sale) if row.last_sale else ""
    return {"id": till.public_id, "name": till.name, "slug": till.slug, "tone": tone, "key": key, "last_sale": last}


@blueprint.get("/people")
def people() -> Response:
    """Show the people of the brand and of its resellers, 50 on a page."""
    q, number = _asked()
    emails = g.staff.role in MAY_SEE_EMAILS
    found = directory.people(web.session(), q=q, page=number, by_email=emails)
    return page(
        "people", here="outlets", people=[_person(row, emails=emails) for row in found.rows], emails=emails,
        **_pager("/brand/people", q, found),
    )  # fmt: skip


def _person(row: PersonRow, *, emails: bool) -> dict[str, Any]:
    person = row.person
    return {
        "id": person.public_id, "name": person.name, "role": role_names()[person.role],
        "email": person.email if emails else "",
        "works_for": row.reseller.name if row.reseller else g.brand.name,
        "ended": _("left %(day)s", day=_day_of(person.ended_at)) if person.ended_at and has_left(person) else "",
        "pin": _secret(person.pin_hash, needed=person.role in MAY_APPROVE),
        "password": _secret(person.password_hash, needed=person.role in BRAND_ROLES),
    }  # fmt: skip


def _secret(sealed: str | None, *, needed: bool) -> dict[str, str]:
    """Say whether a secret is set; who does not need one and has none lacks nothing."""
    if sealed is not None:
        return {"tone": "granted", "text": _("is set")}
    return {"tone": "pending", "text": _("not set")} if needed else {"tone": "", "text": ""}


def _day_of(moment: datetime) -> str:
    return _day(clock.local_date(moment, g.brand.zone))


def _day(day: date) -> str:
    return i18n.format_day(day, with_year=True)
