"""Sections of the brand file: the brand, cost centres, chains, resellers, outlets, tills and staff."""

from datetime import date
from typing import Annotated, Any, ClassVar, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from sqlalchemy import select

from app.core import clock, sessions
from app.core.setup import Entry, Item, Section, Setup, checked
from app.network import checks
from app.network.models import (
    BRAND_ROLES,
    RESELLER_ROLES,
    RESERVED_SLUGS,
    Brand,
    Chain,
    CostCentre,
    Outlet,
    Reseller,
    Staff,
    Till,
)
from app.network.staff import email_address, staff_by_email

Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", min_length=1, max_length=40)]
Language = Literal["fi", "sv", "en"]
Name = Annotated[str, Field(min_length=1, max_length=80)]
Color = Annotated[str, AfterValidator(checked(checks.color))]
_COLUMNS = {"brand": "brand_color", "deep": "brand_deep"}
Email = Annotated[str, AfterValidator(checked(email_address))]


def _texts(texts: dict[Any, str]) -> dict[Any, str]:
    if not texts:
        raise ValueError("write at least one language")
    for language, text in texts.items():
        if not text:
            raise ValueError(f"the text in {language!r} is empty")
    return texts


Texts = Annotated[dict[Language, str], AfterValidator(_texts)]  # {fi = "…", sv = "…", en = "…"}


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, str_strip_whitespace=True)


class Colors(_Part):
    """The brand's colors, `#rrggbb`: a pair under 4.5:1 is refused."""

    brand: Color | None = None
    deep: Color | None = None
    ink: Color | None = None
    on_ink: Color | None = None


class BrandIn(Entry):
    """`[brand]`: the one brand that the file sets up."""

    slug: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{1,28}[a-z0-9]$")]
    name: Name
    colors: Colors = Colors()
    languages: list[Language] = Field(["fi", "sv", "en"], min_length=1)
    default_language: Language = "fi"
    zone: str = "Europe/Helsinki"
    lowest_age: int = Field(13, ge=0, le=99)
    contact: str = Field("", max_length=120)
    grace_days: int = Field(30, ge=0, le=3660)
    welcome_reward: Slug | None = None  # set by the slice of rewards
    welcome_at_till: bool = False

    @model_validator(mode="after")
    def _sound(self) -> "BrandIn":
        if self.slug in RESERVED_SLUGS:
            raise ValueError(f"the slug {self.slug!r} is reserved")
        if self.default_language not in self.languages:
            raise ValueError("default_language is not among the languages")
        try:
            ZoneInfo(self.zone)
        except (KeyError, ValueError):
            raise ValueError(f"there is no time zone {self.zone!r}") from None
        return self


class CostCentreIn(Entry):
    """`[[cost_centres]]`: where the brand books what rewards cost."""

    slug: Slug
    name: Name


class ChainIn(Entry):
    """`[[chains]]`: a chain of outlets."""

    slug: Slug
    name: Name


class ResellerIn(Entry):
    """`[[resellers]]`: a company that sells the brand's goods."""

    slug: Slug
    name: Annotated[str, Field(min_length=1, max_length=120)]
    business_id: Annotated[str, AfterValidator(checked(checks.business_id))]
    vat_number: Annotated[str, AfterValidator(checked(checks.vat_number))] | None = None
    self_billing_since: date | None = None
    iban: Annotated[str, AfterValidator(checked(checks.iban))] | None = None
    chain: Slug | None = None
    account_manager: Email | None = None

    @model_validator(mode="after")
    def _one_company(self) -> "ResellerIn":
        number = self.vat_number or ""
        if number.startswith("FI") and number[2:] != self.business_id.replace("-", ""):
            raise ValueError("the VAT number belongs to another business id")
        return self


class Address(_Part):
    """Where an outlet is."""

    street: str = Field("", max_length=120)
    postcode: str = Field("", max_length=10)
    city: str = Field("", max_length=60)


class Position(_Part):
    """An outlet on the map, in degrees."""

    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)


class OutletIn(Entry):
    """`[[outlets]]`: a shop, web shop or kiosk of a reseller."""

    slug: Slug
    name: Name
    kind: Literal["shop", "web", "kiosk"] = "shop"
    reseller: Slug
    chain: Slug | None = None
    address: Address | None = None
    position: Position | None = None


class TillIn(Entry):
    """`[[tills]]`: a cash register; `leima till-key` gives it its key."""

    key: ClassVar[tuple[str, ...]] = ("outlet", "slug")

    outlet: Slug
    slug: Slug
    name: Annotated[str, Field(min_length=1, max_length=60)]


class StaffIn(Entry):
    """`[[staff]]`: a person of the brand or of a reseller; `leima staff` sets the password."""

    key: ClassVar[tuple[str, ...]] = ("email",)

    email: Email
    name: Name
    role: Literal["brand_admin", "marketing", "finance", "sales", "reseller_manager", "cashier"]
    phone: str | None = Field(None, pattern=r"^\+[1-9][0-9]{6,14}$")  # E.164, as members' numbers are kept
    reseller: Slug | None = None
    ended: bool = False

    @model_validator(mode="after")
    def _role_fits(self) -> "StaffIn":
        if self.role in RESELLER_ROLES and self.reseller is None:
            raise ValueError(f"a {self.role} works for a reseller: name it")
        if self.role in BRAND_ROLES and self.reseller is not None:
            raise ValueError(f"a person with the role {self.role} works for the brand, not for a reseller")
        return self


SECTIONS = (
    Section("brand", BrandIn, many=False),
    Section("cost_centres", CostCentreIn),
    Section("chains", ChainIn),
    Section("resellers", ResellerIn, refers={"chain": ("chains", Chain)}),
    Section("outlets", OutletIn, refers={"reseller": ("resellers", Reseller), "chain": ("chains", Chain)}),
    Section("tills", TillIn, refers={"outlet": ("outlets", Outlet)}),
    Section("staff", StaffIn, refers={"reseller": ("resellers", Reseller)}),
)


def apply(setup: Setup) -> None:
    """Save the network of the brand that the file names, and scope the run to it."""
    emails = {item.value.email for item in setup.items("staff", StaffIn)}
    employers = {email: row.brand_id for email in emails if (row := staff_by_email(setup.session, email))}
    _brand(setup)
    for centre in setup.items("cost_centres", CostCentreIn):
        slug = centre.value.slug
        setup.save(CostCentre, f"cost centre {slug}", {"slug": slug}, centre.given("name"))
    for chain in setup.items("chains", ChainIn):
        setup.save(Chain, f"chain {chain.value.slug}", {"slug": chain.value.slug}, chain.given("name"))
    for reseller in setup.items("resellers", ResellerIn):
        _reseller(setup, reseller)
    for outlet in setup.items("outlets", OutletIn):
        _outlet(setup, outlet)
    for till in setup.items("tills", TillIn):
        _till(setup, till)
    for person in setup.items("staff", StaffIn):
        if employers.get(person.value.email, setup.brand.id) == setup.brand.id:
            _person(setup, person)
        else:
            message = f"{person.value.email} works for another brand of this installation"
            setup.fault((*person.place, "email"), message)
    for reseller in setup.items("resellers", ResellerIn):
        _account_manager(setup, reseller)


def _brand(setup: Setup) -> None:
    item = setup.one("brand", BrandIn)
    raw = setup.document.data.get("brand", {})
    slug = item.value.slug if item else str(raw.get("slug", "")) if isinstance(raw, dict) else ""
    if item is None:
        if "brand" not in setup.document.data:
            setup.fault((), "[brand] is missing: a file sets up one brand")
        # Nothing will be saved; a stand-in lets the other sections be checked, so that all faults come at once.
        row = setup.session.scalar(select(Brand).filter_by(slug=slug)) or Brand(slug=slug[:30], name="")
        setup.session.add(row)
        setup.session.flush()
        setup.enter(row, row.id)
        return
    names = ("name", "languages", "default_language", "zone", "lowest_age", "contact", "grace_days", "welcome_at_till")
    colors = {
        f"brand_{k}" if k == "deep" else "brand_color" if k == "brand" else k: v for k, v in item.value.colors if v
    }
    row = setup.save(Brand, f"brand {slug}", {"slug": slug}, {**item.given(*names), **colors})
    setup.enter(row, row.id)
    try:
        checks.check_theme(brand_color=row.brand_color, brand_deep=row.brand_deep, ink=row.ink, on_ink=row.on_ink)
    except checks.ContrastTooLow as error:
        setup.fault(("brand", "colors"), error.message)


def _reseller(setup: Setup, item: Item[ResellerIn]) -> None:
    values = item.given("name", "business_id", "vat_number", "self_billing_since", "iban")
    if item.value.chain is not None:
        chain = setup.refer("chains", Chain, item.value.chain, (*item.place, "chain"))
        values["chain_id"] = chain.id if chain else None
    setup.save(Reseller, f"reseller {item.value.slug}", {"slug": item.value.slug}, values)


def _outlet(setup: Setup, item: Item[OutletIn]) -> None:
    value, values = item.value, item.given("name", "kind")
    reseller = setup.refer("resellers", Reseller, value.reseller, (*item.place, "reseller"))
    if value.chain is not None:
        chain = setup.refer("chains", Chain, value.chain, (*item.place, "chain"))
        values["chain_id"] = chain.id if chain else None
    for part in filter(None, (value.address, value.position)):
        values |= part.model_dump(exclude_unset=True)
    if reseller is not None:
        setup.save(Outlet, f"outlet {value.slug}", {"slug": value.slug}, {**values, "reseller_id": reseller.id})


def _till(setup: Setup, item: Item[TillIn]) -> None:
    value = item.value
    outlet = setup.refer("outlets", Outlet, value.outlet, (*item.place, "outlet"))
    if outlet is not None:
        match = {"outlet_id": outlet.id, "slug": value.slug}
        setup.save(Till, f"till {value.outlet}/{value.slug}", match, item.given("name"), with_id=True)


def _person(setup: Setup, item: Item[StaffIn]) -> None:
    value, values = item.value, item.given("name", "role", "phone")
    known = staff_by_email(setup.session, value.email)
    reseller = None
    if value.reseller is not None:
        reseller = setup.refer("resellers", Reseller, value.reseller, (*item.place, "reseller"))
        if reseller is None:
            return
    values["reseller_id"] = reseller.id if reseller else None
    if "ended" in value.model_fields_set and value.ended is not (known is not None and known.ended_at is not None):
        values["ended_at"] = clock.now() if value.ended else None
    person = setup.save(Staff, f"staff {value.email}", {"email": value.email}, values, with_id=True)
    if person.ended_at is not None:
        sessions.end_all(setup.session, door="brand", subject_id=person.id)


def _account_manager(setup: Setup, item: Item[ResellerIn]) -> None:
    email, place = item.value.account_manager, (*item.place, "account_manager")
    if email is None:
        return
    person = setup.session.scalar(select(Staff).filter_by(email=email))
    row = setup.session.scalar(select(Reseller).filter_by(slug=item.value.slug))
    if (person is None and email not in setup.written("staff", "email")) or (person and person.role not in BRAND_ROLES):
        setup.fault(place, f"nobody of the brand has the email {email}")
    elif row is not None and person is not None:
        setup.update(row, f"reseller {item.value.slug}", {"account_manager_id": person.id})
