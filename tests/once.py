"""What a process of Leima does once when it begins, a worker does once for all its tests."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from app.wallet import signer, tools
from app.wallet.google import account
from app.wallet.templates import Template

_read_key: Callable[..., Any] = cache(signer.load_pem_private_key)


def read_once() -> None:
    """Read each private key once, as its check takes a twentieth of a second; shipped templates too.

    What cannot be read raises anew each time, as `cache` keeps no error.
    """
    signer.load_pem_private_key = _read_key  # type: ignore[attr-defined]
    account.load_pem_private_key = _read_key  # type: ignore[attr-defined]
    every: Callable[[Path], dict[str, Template]] = cache(tools.load_templates)
    tools.load_templates = lambda root: dict(every(root))
