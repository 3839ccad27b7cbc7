"""The application: start reading here. `create_app` puts core, doors and registry together."""

from collections.abc import Iterable

from flask import Blueprint

from app import registry
from app.core import web
from app.core.runtime import Runtime
from app.core.web import guard, pages
from app.doors import identity
from app.wallet.tools import Tools


def create_app(runtime: Runtime, *, extra: Iterable[Blueprint] = ()) -> web.LeimaFlask:
    """Build the WSGI application over an open runtime.

    Args:
        extra: blueprints beside the registry's doors; the demo adds its outbox here.
    """
    registry.load()
    app = web.LeimaFlask(
        "app", title="Leima till API", version="1.0", docs_path=None, spec_path="/api/v1/openapi.json",
        template_folder=str(registry.TEMPLATES), static_folder=None,  # type: ignore[arg-type]  # Flask takes None
    )  # fmt: skip
    app.extensions["leima"] = runtime
    Tools.of(runtime)  # a fault in a wallet template ends the start, not a member's download
    guard.install(app)
    pages.install(app)
    identity.install(app)
    for blueprint in (*registry.doors(), *extra):
        app.register_blueprint(blueprint)
    registry.describe(app)
    return app
