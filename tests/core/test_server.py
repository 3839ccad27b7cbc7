"""Waitress: a taken port is a clear refusal."""

import socket
from pathlib import Path

import pytest
from flask import Flask

from app.core.settings import Settings
from app.core.web.server import CannotListen, listen


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        with pytest.raises(CannotListen, match=f"127.0.0.1:{port}"):
            listen(Flask("test"), Settings(demo=True, data_dir=tmp_path, port=port))
