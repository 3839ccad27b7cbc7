"""The demo's first page: the four doors, with what opens each of them."""

from collections.abc import Callable

from flask import Blueprint, render_template, url_for

from app.core.i18n import gettext, language
from app.fakes.demo import SLUG, Logins


def front_blueprint(logins: Callable[[], Logins], *, base_url: str, stylesheet: str) -> Blueprint:
    """Return the page at `/dev/`, where `/` leads in the demo.

    Args:
        logins: till keys and passwords of this installation.
    """
    pages = Blueprint("front", __name__, template_folder="templates", url_prefix="/dev")

    @pages.get("/")
    def front() -> str:
        """Show where to go, and the keys."""
        return render_template(
            "front.html",
            logins=logins(),
            base_url=base_url,
            slug=SLUG,
            language=language(),
            stylesheet=stylesheet,
            own_stylesheet=url_for("outbox.static", filename="outbox.css"),
            _=gettext,
        )

    return pages
