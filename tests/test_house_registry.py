"""The house rules over what the registry lists: tables, columns, jobs; and the README over settings and commands."""

import argparse
import re
from collections.abc import Iterable, Iterator

import pytest
from sqlalchemy import Column, Integer, LargeBinary, MetaData, String, Table, Text
from sqlalchemy.types import TypeDecorator

from tests import house

PERSONAL = {"erase", "pseudonym", "keep", "none"}


def homeless(metadata: MetaData) -> list[str]:
    """Find tables that have no brand and do not say why not."""
    return [
        table.name
        for table in metadata.tables.values()
        if not table.info.get("no_brand") and ("brand_id" not in table.c or table.c["brand_id"].nullable)
    ]


def silent(metadata: MetaData) -> list[str]:
    """Find columns of text or bytes that do not say what erasure does with them."""
    return [
        f"{table.name}.{column.name}"
        for table in metadata.tables.values()
        for column in table.c
        if _holds_text(column) and column.info.get("personal") not in PERSONAL
    ]


def _holds_text(column: Column[object]) -> bool:
    kind = column.type
    if isinstance(kind, TypeDecorator):
        kind = kind.impl_instance
    return isinstance(kind, String | LargeBinary) or kind.__visit_name__ in ("JSON", "JSONB")


def misnamed(names: Iterable[str]) -> list[str]:
    """Find names of jobs that are not dotted, and those that are there twice."""
    names = list(names)
    wrong = [name for name in names if not re.fullmatch(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+", name)]
    return wrong + sorted({name for name in names if names.count(name) > 1})


def commands(parser: argparse.ArgumentParser, before: str = "") -> Iterator[str]:
    """Give every command of a parser, as typed after `leima`."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, child in action.choices.items():
                yield f"{before}{name}"
                yield from commands(child, f"{before}{name} ")


def unsaid(readme: str, settings: Iterable[str], typed: Iterable[str]) -> list[str]:
    """Find settings and commands that a README leaves out, and settings that it invents."""
    known = {f"LEIMA_{name.upper()}" for name in settings}
    named = set(re.findall(r"LEIMA_[A-Z0-9_]+", readme))
    missing = [f"leima {name}" for name in typed if not re.search(rf"\bleima {re.escape(name)}\b", readme)]
    invented = {name for name in named - known if not name.startswith("LEIMA_TEST_")}
    return sorted(known - named) + missing + sorted(f"no such setting: {name}" for name in invented)


def test_every_table_belongs_to_a_brand_or_says_why_not() -> None:
    from app import registry

    assert registry.metadata.tables
    assert homeless(registry.metadata) == []


def test_every_text_column_says_what_erasure_does_with_it() -> None:
    from app import registry

    assert silent(registry.metadata) == []


def test_every_job_name_is_dotted_and_unique() -> None:
    from app import registry
    from app.core import jobs

    registry.load()
    assert jobs.kinds()
    assert misnamed(kind.name for kind in jobs.kinds().values()) == []


def test_the_readme_names_every_setting_and_every_command() -> None:
    from app import cli
    from app.core.settings import Settings

    readme = (house.ROOT / "README.md").read_text(encoding="utf-8")
    typed = list(commands(cli.build_parser()))
    assert typed
    assert unsaid(readme, Settings.model_fields, typed) == []


@pytest.fixture
def tables() -> MetaData:
    """Three tables: one without a fault, one that says why, one that says nothing."""
    metadata = MetaData()
    said = {"personal": "erase"}
    Table("good", metadata, Column("brand_id", Integer, nullable=False), Column("name", Text, info=said))
    Table("open", metadata, Column("id", Integer), info={"no_brand": "it counts tries before a brand is known"})
    Table("bad", metadata, Column("brand_id", Integer, nullable=True), Column("name", String(9)))
    return metadata


def test_a_table_without_a_brand_is_found(tables: MetaData) -> None:
    assert homeless(tables) == ["bad"]


def test_a_silent_text_column_is_found(tables: MetaData) -> None:
    tables.tables["good"].append_column(Column("note", LargeBinary, info={"personal": "maybe"}))
    assert silent(tables) == ["good.note", "bad.name"]


def test_bad_names_of_jobs_are_found() -> None:
    assert misnamed(["wallet.push", "members.erase", "cards.repair_balance"]) == []
    assert misnamed(["push", "Wallet.Push", "a.b", "a.b"]) == ["push", "Wallet.Push", "a.b"]


def test_what_a_readme_leaves_out_or_invents_is_found() -> None:
    parser = argparse.ArgumentParser()
    below = parser.add_subparsers()
    below.add_parser("run")
    below.add_parser("wallet").add_subparsers().add_parser("doctor")
    typed = list(commands(parser))
    assert typed == ["run", "wallet", "wallet doctor"]
    assert unsaid("`leima run`, `leima wallet doctor`, LEIMA_HOST, LEIMA_TEST_FULL", ["host"], typed) == []
    faults = unsaid("`leima runs`, `leima wallet`, LEIMA_GHOST", ["host"], typed)
    assert faults == ["LEIMA_HOST", "leima run", "leima wallet doctor", "no such setting: LEIMA_GHOST"]
