"""The brand console, `/brand`: figures and the members' register, for people who work for the brand."""

from app.doors.brand import dashboard, flags, grants, looks, members, program_edit, programs, rewards, wallet  # noqa: F401 - importing a module adds its views
from app.doors.brand.door import blueprint

__all__ = ["blueprint"]
