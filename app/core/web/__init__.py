"""Everything of core that knows Flask: the application class, one unit of work for each request, guards, pages.

Only doors and `app.wsgi` import it; no slice does.
"""

from app.core.web.app import LeimaFlask, database, end_unit, in_own_unit, limit, runtime, session
from app.core.web.cookies import clear_cookie, read_cookie, set_cookie
from app.core.web.guard import client_address, csp_nonce, takes
from app.core.web.pages import asset, door, page, problem, problem_of, wants_problem

__all__ = [
    "LeimaFlask",
    "asset",
    "clear_cookie",
    "client_address",
    "csp_nonce",
    "database",
    "door",
    "end_unit",
    "in_own_unit",
    "limit",
    "page",
    "problem",
    "problem_of",
    "read_cookie",
    "runtime",
    "session",
    "set_cookie",
    "takes",
    "wants_problem",
]
