"""The brand console, `/brand`: figures, the members' register, the network, for people who work for the brand."""

from app.doors.brand import (  # noqa: F401 - importing a module adds its views
    dashboard,
    flags,
    grants,
    looks,
    members,
    network,
    program_edit,
    programs,
    rewards,
    simulations,
    wallet,
)
from app.doors.brand.door import blueprint

__all__ = ["blueprint"]
