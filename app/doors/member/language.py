"""The language of a visitor: asked for, remembered, the browser's, or the brand's."""

from datetime import timedelta

from flask import Response, after_this_request, g, request

from app.core import i18n, web

OWN_NAMES = {"fi": "Suomi", "sv": "Svenska", "en": "English"}


def speak() -> None:
    """Speak the visitor's language from here on; `?lang=` is remembered in a cookie."""
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
    """Return the brand's languages, code and own name."""
    return [(code, OWN_NAMES[code]) for code in i18n.LANGUAGES if code in g.brand.languages]
