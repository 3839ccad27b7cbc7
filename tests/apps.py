"""One application for the tests of a process: made anew, it reads and compiles every template again."""

from functools import cache
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.core.db import Database
from app.core.runtime import Runtime
from app.core.settings import Settings
from app.core.web import LeimaFlask
from app.wallet.tools import Tools
from app.wsgi import create_app


@cache
def the_app() -> LeimaFlask:
    """Return the application over no database yet; whoever calls it puts a runtime under it."""
    chosen = Settings(demo=True)
    return create_app(Runtime(chosen, Database("sqlite:///nowhere", chosen.keyring())))


class Client(FlaskClient):
    """Calls the application over a runtime of its own."""

    runtime: Runtime

    def open(self, *args: Any, **values: Any) -> TestResponse:
        """Put the runtime under the application, and call it."""
        self.application.extensions["leima"] = self.runtime
        return super().open(*args, **values)


def a_client(runtime: Runtime, kind: type[Client] = Client) -> Client:
    """Return a client of the application over a runtime, as if it were served by it from the start."""
    app = the_app()
    Tools.of(runtime)  # what `create_app` makes ready
    client = kind(app, app.response_class)
    client.runtime = app.extensions["leima"] = runtime
    return client
