"""The brand console, `/brand`: figures and the members' register, for people who work for the brand."""

from app.doors.brand import (  # noqa: F401 - importing a module adds its views
    dashboard,
    flags,
    grants,
    looks,
    members,
    program_edit,
    programs,
    rewards,
    simulations,
    wallet,
)
from app.doors.brand.door import blueprint

__all__ = ["blueprint"]
