"""The network's lists, on both databases: their order, what a search finds, and the newest sale of each till."""

from collections.abc import Callable

import pytest
from sqlalchemy import select

from app.core import clock
from app.core.db import Database
from app.network.models import Chain, Outlet, Reseller, Staff, Till
from app.reports import directory
from tests.builders import a_brand, a_till, an_outlet


@pytest.fixture
def network(database: Database) -> int:
    """Two resellers with three outlets and four people, and another brand with names of the same kind."""
    brand_id = a_brand(database)
    for owner in (brand_id, a_brand(database, "valo")):
        with database.unit(owner) as session:
            for outlet in session.scalars(select(Outlet)):
                outlet.name = "Älvsby 100%"
            own = session.scalars(select(Reseller)).one()
            own.name = "Bageri Åke"
            other = an_outlet(session, name="Turku", city="Turku")
            chain = Chain(slug="kulma", name="Kulma")
            session.add(chain)
            session.flush()
            other.chain_id = chain.id
            session.get_one(Reseller, other.reseller_id).name = "Aitta"
            session.add(Outlet(slug="web", name="Aitta Online", reseller_id=other.reseller_id))
            slug = "a" if owner == brand_id else "b"
            for name, role, reseller in (
                ("Elli Öst", "cashier", own), ("Jari", "reseller_manager", own), ("Iida", "brand_admin", None),
                ("Gone", "sales", None),
            ):  # fmt: skip
                email = f"{name.split()[0]}@{slug}.example".lower()
                ended = clock.now() if name == "Gone" else None
                employer = reseller.id if reseller else None
                session.add(Staff(email=email, name=name, role=role, reseller_id=employer, ended_at=ended))
    return brand_id


@pytest.fixture
def outlets(database: Database, network: int) -> Callable[[str], list[str]]:
    """Search outlets; the answer is their names."""

    def search(q: str) -> list[str]:
        with database.reading(network) as session:
            return [row.outlet.name for row in directory.outlets(session, q=q).rows]

    return search


@pytest.fixture
def people(database: Database, network: int) -> Callable[..., list[str]]:
    """Search people; the answer is their names."""

    def search(q: str, *, by_email: bool = False) -> list[str]:
        with database.reading(network) as session:
            return [row.person.name for row in directory.people(session, q=q, by_email=by_email).rows]

    return search


@pytest.mark.parametrize(
    ("q", "names"),
    [
        ("", ["Aitta Online", "Turku", "Älvsby 100%"]),  # by reseller, then chain, then name
        ("  turku ", ["Turku"]),
        ("KULMA", ["Turku"]),
        ("älvsby", ["Älvsby 100%"]),
        ("åke", ["Älvsby 100%"]),
        ("100%", ["Älvsby 100%"]),
        ("1_0%", []),
        ("till 1", ["Turku", "Älvsby 100%"]),
        ("web", ["Aitta Online"]),
        ("\0", ["Aitta Online", "Turku", "Älvsby 100%"]),
    ],
)
def test_outlets_are_found_by_names_around_them(outlets: Callable[[str], list[str]], q: str, names: list[str]) -> None:
    assert outlets(q) == names


@pytest.mark.parametrize(
    ("q", "names"),
    [
        ("", ["Iida", "Elli Öst", "Jari", "Gone"]),  # who left comes last, the brand's own first
        ("öst", ["Elli Öst"]),
        ("bageri", ["Elli Öst", "Jari"]),
        ("elli@a", []),
    ],
)
def test_people_are_found_by_name_and_reseller(people: Callable[..., list[str]], q: str, names: list[str]) -> None:
    assert people(q) == names


def test_people_are_found_by_email_where_the_reader_may(people: Callable[..., list[str]]) -> None:
    assert people("ELLI@a", by_email=True) == ["Elli Öst"]
    assert people("@b.example", by_email=True) == []  # of the other brand


def test_a_whole_id_finds_its_owner_and_a_part_or_another_brands_nobody(
    database: Database, network: int, outlets: Callable[[str], list[str]], people: Callable[..., list[str]]
) -> None:
    with database.reading(network) as session:
        till = session.scalars(
            select(Till).join(Outlet, Outlet.id == Till.outlet_id).where(Outlet.city == "Turku")
        ).one()
        jari = session.scalars(select(Staff).where(Staff.name == "Jari")).one()
    with database.reading() as session:
        everybody = select(Till.public_id, Till.brand_id).execution_options(finds_brand=True)
        foreign = [public_id for public_id, brand_id in session.execute(everybody) if brand_id != network]

    assert (outlets(till.public_id.lower()), people(f" {jari.public_id} ")) == (["Turku"], ["Jari"])
    assert (outlets(till.public_id[:20]), people(jari.public_id[:20])) == ([], [])
    assert len(foreign) == 2
    assert [outlets(public_id) for public_id in foreign] == [[], []]


def test_tills_stand_with_their_outlet_by_name(database: Database, network: int) -> None:
    with database.unit(network) as session:
        turku = session.scalars(select(Outlet).where(Outlet.name == "Turku")).one()
        a_till(session, outlet=turku).name = "Terrace"
        a_till(session, outlet=turku).name = "Bar"
    with database.reading(network) as session:
        rows = directory.outlets(session).rows

    names = {row.outlet.name: [one.till.name for one in row.tills] for row in rows}
    assert names == {"Aitta Online": [], "Turku": ["Bar", "Terrace", "Till 1"], "Älvsby 100%": ["Till 1"]}


def test_a_page_beyond_the_last_one_is_the_last_one(database: Database, network: int) -> None:
    with database.reading(network) as session:
        found = directory.outlets(session, page=9)

    assert (found.number, found.pages, found.total, len(found.rows)) == (1, 1, 3, 3)
