"""What a refusal says."""

from collections.abc import Callable

import pytest

from app.core.errors import LeimaError


def code_of(act: Callable[[], object]) -> str:
    """Return the stable code that an act is refused with."""
    with pytest.raises(LeimaError) as refused:
        act()
    return refused.value.code
