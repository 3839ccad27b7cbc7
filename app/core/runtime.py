"""What a process holds while it runs; jobs that send are made with it."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from app.core.crypto import Keyring
from app.core.db import Database
from app.core.settings import Settings


@dataclass
class Runtime:
    """Settings, keys and database of this process, and the channels that it keeps open (`shared`)."""

    settings: Settings
    database: Database
    shared: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def keyring(self) -> Keyring:
        """Return the keys of this installation."""
        return self.settings.keyring()

    @classmethod
    def open(cls, settings: Settings) -> "Runtime":
        """Open the database that the settings name; the walls are guarded in the demo."""
        keys = settings.keyring()
        return cls(settings, Database(settings.url, keys, guard_walls=settings.demo))
