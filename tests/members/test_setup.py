"""Texts of the brand file: versions, faults, and that the same file twice changes nothing."""

from pathlib import Path

import pytest
from sqlalchemy import select

from app.core.db import Database
from app.core.setup import apply_file
from app.core.toml import FaultList
from app.members import setup, wordings
from app.members.models import Wording
from app.network import setup as network
from app.network.models import Brand

BRAND = '[brand]\nslug = "meri"\nname = "Meri"\n'
TEXTS = """
[wordings]
terms = {fi = "ehdot", en = "terms"}
privacy = {en = "privacy"}
[wordings.consents]
email = {en = "may send me email"}
"""
MODULES = (network, setup)


def applied(database: Database, folder: Path, text: str) -> list[tuple[str, str, str]]:
    """Apply a brand file; return its changes to texts."""
    file = folder / "brand.toml"
    file.write_text(BRAND + text)
    changes = apply_file(database, file, MODULES)
    return [(change.sign, change.what, change.detail) for change in changes if change.what.startswith("wording")]


def test_file_publishes_each_text_once(sqlite: Database, tmp_path: Path) -> None:
    first = applied(sqlite, tmp_path, TEXTS)

    assert ("+", "wording terms fi", "version 1") in first
    assert {what for _, what, _ in first} == {
        *("wording terms fi", "wording terms en", "wording privacy en", "wording consent.email.marketing en"),
    }
    assert applied(sqlite, tmp_path, TEXTS) == []


def test_changed_text_is_a_new_version_and_the_old_one_stays(sqlite: Database, tmp_path: Path) -> None:
    applied(sqlite, tmp_path, TEXTS)

    changes = applied(sqlite, tmp_path, '[wordings]\nterms = {en = "better terms"}\n')

    assert changes == [("~", "wording terms en", "version 2")]
    with sqlite.reading() as session:
        brand = session.scalars(select(Brand)).one()
    with sqlite.reading(brand.id) as session:
        rows = session.scalars(select(Wording).where(Wording.kind == "terms", Wording.language == "en")).all()
        newest = wordings.current(session, "terms", "en")
    assert [(row.version, row.text) for row in rows] == [(1, "terms"), (2, "better terms")]
    assert newest is not None
    assert newest.version == 2


def test_faults_are_told_with_their_lines_and_nothing_is_saved(sqlite: Database, tmp_path: Path) -> None:
    faulty = (
        '[wordings]\nterms = {de = "x"}\nterm = {en = "x"}\n[wordings.consents]\nfax = {en = "x"}\nemail = {en = ""}\n'
    )

    with pytest.raises(FaultList) as refused:
        applied(sqlite, tmp_path, faulty)

    assert [fault.line for fault in refused.value.faults] == [5, 6, 8, 9]
    with sqlite.reading() as session:
        assert session.scalars(select(Brand)).all() == []
