"""The language of a visitor: the member's own, asked for, remembered, the browser's, or the brand's."""

from datetime import timedelta

from flask import Response, after_this_request, g, request

from app.core import i18n, sessions, web
from app.doors import identity
from app.members import lookup

OWN_NAMES = {"fi": "Suomi", "sv": "Svenska", "en": "English"}


def speak(subject_id: int | None) -> int | None:
    """Speak the visitor's language from here on; a member's own wins, for others `?lang=` is remembered in a cookie.

    Args:
        subject_id: whose log-in this browser has; None for nobody's.

    Returns the member that this is today, past a merge.
    """
    member = None
    if subject_id is not None:
        with web.database().reading(g.brand.id) as session:
            member = lookup.live(session, subject_id)
    g.member_speaks = member is not None and member.language in i18n.LANGUAGES
    if member is None or not g.member_speaks:
        _of_visitor()
    else:
        i18n.set_language(member.language)
    return member.id if member else None


def subject() -> int | None:
    """Return whose card this browser has, on a page that is nobody's."""
    token = web.read_cookie(identity.cookie_name("member"))
    if token is None:
        return None
    with web.database().reading() as session:
        login = sessions.find(session, token, door="member")
    return login.subject_id if login is not None and login.brand_id == g.brand.id else None


def _of_visitor() -> None:
    allowed = tuple(code for code in i18n.LANGUAGES if code in g.brand.languages)
    asked = request.args.get("lang", "")
    known = web.read_cookie("leima-lang") or ""
    if asked in allowed:
        remember(asked)
        i18n.set_language(asked)
    elif known in allowed:
        i18n.set_language(known)
    else:
        header = request.headers.get("Accept-Language", "")
        i18n.set_language(i18n.negotiate(header, allowed, g.brand.default_language))


def remember(code: str) -> None:
    """Keep a choice in this browser for a year."""

    @after_this_request
    def _keep(response: Response) -> Response:
        web.set_cookie(response, "leima-lang", code, lasts=timedelta(days=365))
        return response


def choices() -> list[tuple[str, str]]:
    """Return the brand's languages, code and own name; members choose theirs in the profile."""
    return [] if g.member_speaks else every()


def every() -> list[tuple[str, str]]:
    """Return all of the brand's languages."""
    return [(code, OWN_NAMES[code]) for code in i18n.LANGUAGES if code in g.brand.languages]
