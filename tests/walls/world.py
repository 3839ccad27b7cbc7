"""Two brands side by side, each with resellers, outlets, tills, members, coupons, purchases, scans, codes, log-ins."""

import re
import secrets
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import registry
from app.cards import serial, welcome
from app.cards import service as cards
from app.core import clock, sessions
from app.core.crypto import totp, totp_step
from app.core.db import Database, keyring
from app.core.runtime import Runtime
from app.core.settings import Settings
from app.core.setup import apply_file
from app.fakes.demo import BRAND_FILE
from app.fakes.wallet_chain import ISSUER_ID, wallet_chain
from app.ledger.service import Basket
from app.members import allowing, lookup, scans
from app.members.models import Member, Wording
from app.network import staff, tills
from app.network.models import Brand, Outlet, Staff, Till
from app.rewards import service as rewards
from app.wallet import brand_templates, devices, messages, rows
from app.wallet import service as wallet
from app.wallet.models import WalletPass
from app.wallet.outgoing import HOSTS
from app.wallet.templates import SHIPPED
from tests.builders import a_newcomer, a_proved_member
from tests.cards.kinds import a_plan
from tests.databases import a_database
from tests.walls import misuse
from tests.walls.own import a_sold_gift_card, own_program, readings_of

BASE = "http://localhost:8000"
DAY = timedelta(days=1)
COUPON_WORDS = SHIPPED / "coupon.pass" / "fi.lproj" / "pass.strings"
PLACES = (("kallio", "till-1"), ("kallio", "till-2"), ("hakaniemi", "till-1"), ("turku", "till-1"))
PASSWORD = "a long password for tests"
NOW = datetime(2026, 10, 20, 9, 0, 10, tzinfo=UTC)  # far from midnight and from the end of a 30-second step
SERIAL, SERIAL_CENTS = "ten-lunches", 9000  # a serial card of ten
RECEIPT = "R-1"  # the same at every till, so that only the till tells purchases apart


@dataclass(frozen=True)
class TillIds:
    """A till, and the member who has just bought there: what its door knows them by."""

    public_id: str
    key: str
    cookie: str
    scan: str
    purchase: str
    redemption: str
    serial_card: str  # nothing of it is used
    serial_use: str  # of another one
    static: str  # a scan that may not redeem
    question: str  # and what was asked of its member
    gift_card: str  # that it sold to nobody in particular
    reading: str  # a coupon whose code it has read
    gift_reading: str  # its gift card, as if its code had been read


@dataclass(frozen=True)
class MemberIds:
    """A member with a full card behind it, a coupon of it and two log-ins."""

    public_id: str
    first_name: str
    contact: str
    code: str
    spoken: str
    rotating: str  # the QR's text with the next step's digits, not used up
    coupon: str  # a coupon's code
    coupon_id: str
    cookie: str
    device: str  # public id of the other log-in
    serial: str = ""  # of the card in Apple Wallet
    pass_token: str = ""
    phone: str = ""  # that has it
    object: str = ""  # the name of the card at Google


@dataclass(frozen=True)
class Side:
    """One brand: what it has, as its doors name it."""

    brand_id: int
    slug: str
    name: str
    outlet: str
    tills: tuple[TillIds, ...]  # two at one outlet, one at the reseller's other outlet, one of another reseller
    members: tuple[MemberIds, ...]  # the n-th bought at the n-th till
    waiting: str  # first name of a newcomer who has confirmed nothing
    waiting_cookie: str
    link: str  # token of the newcomer's link
    digits: str  # and its digits
    wordings: dict[str, str]
    cashiers: tuple[str, ...]  # of the first till's reseller, and of another
    manager: str  # of the first till's reseller; approves with the PIN
    staff_email: str
    staff_cookie: str
    flag: str  # on the first till's purchase
    news: str = ""  # service news on the cards
    program: str = ""  # short name of one that only this brand has, planned and drafted
    reward: str = ""  # short name of an invitation that only this brand has
    simulation: str = ""  # public id of a run of that program

    def secrets(self) -> list[str]:
        """Return all that nobody of another brand may ever be shown."""
        found = [self.name, self.waiting, self.waiting_cookie, self.link, self.staff_email, self.staff_cookie]
        found += [self.manager, self.flag, *self.cashiers]
        found += [value for till in self.tills for value in vars(till).values()]
        found += [value for member in self.members for value in vars(member).values()]
        return found


@dataclass(frozen=True)
class World:
    """Both sides, and the file that holds them as they are at `NOW`."""

    here: Side
    there: Side
    path: Path
    settings: Settings = field(repr=False)


def settings(folder: Path) -> Settings:
    """Return the demo's settings with a self-made chain for wallet passes."""
    chain, badges = folder / "wallet", folder / "badges"
    wallet_chain(chain)
    badges.mkdir()
    (badges / "apple-en.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return Settings(
        demo=True, data_dir=folder, base_url=BASE, apple_certificate=chain / "pass.pem", apple_key=chain / "pass.key",
        apple_wwdr=chain / "wwdr.pem", google_issuer=ISSUER_ID, google_service_account=chain / "google.json",
        badges=badges, push_hosts=("push.leima.example",),
        outbound_map=dict.fromkeys((f"https://{host}" for host in ("push.leima.example", *HOSTS)), "http://127.0.0.1:9"),
    )  # fmt: skip


def build(path: Path, folder: Path) -> World:
    """Build both brands in a migrated SQLite file."""
    chosen = settings(folder)
    database = a_database(f"sqlite:///{path}", chosen.keyring())
    try:
        runtime = Runtime(chosen, database)
        here = _with_passes(runtime, _side(database, _brand_file(folder, "meri", "Meri"), "meri"))
        there = _with_passes(runtime, _side(database, _brand_file(folder, "ranta", "Ranta"), "ranta"))
    finally:
        database.close()
    return World(here, there, path, chosen)


def _brand_file(folder: Path, slug: str, name: str) -> Path:
    """Write the demo's brand file under another name: no email, outlet or name of it is the first brand's."""
    text = BRAND_FILE.read_text(encoding="utf-8")
    if slug != "meri":
        text = text.replace("Meri Roastery", f"{name} Roastery").replace('slug = "meri"', f'slug = "{slug}"')
        text = text.replace(".example", f".{slug}.example").replace("Kulma", "Nurkka")
        text = re.sub(r'"(kallio|hakaniemi|turku|tampere)"', rf'"{slug}-\1"', text)
    path = folder / f"{slug}.toml"
    path.write_text(text, encoding="utf-8")
    return path


def _side(database: Database, file: Path, slug: str) -> Side:
    with clock.moved(to=NOW - 60 * DAY):
        apply_file(database, file, registry.SETUP)
    with database.reading() as session:
        brand = session.scalars(select(Brand).where(Brand.slug == slug)).one()
    with clock.moved(to=NOW - timedelta(seconds=40)), database.unit(brand.id) as session:
        a_plan(session, "serial_card", {"uses": 10, "price_cents": SERIAL_CENTS, "valid_months": 12}, slug=SERIAL)
        places = [_till(session, outlet if slug == "meri" else f"{slug}-{outlet}", till) for outlet, till in PLACES]
        keys = [tills.new_till_key(session, till) for till in places]
        bought = [_shopper(session, slug, place, till) for place, till in enumerate(places)]
    with clock.moved(to=NOW), database.unit(brand.id) as session:
        return _ids(session, brand, list(zip(places, keys, bought, strict=True)))


def _till(session: Session, outlet: str, till: str) -> Till:
    joined = select(Till).join(Outlet, Outlet.id == Till.outlet_id).where(Outlet.slug == outlet, Till.slug == till)
    return session.scalars(joined).one()


def _shopper(session: Session, slug: str, place: int, till: Till) -> tuple[int, tuple[str, ...]]:
    """Let somebody join, show the moving code, fill a card, get a second coupon and use it, buy two serial cards.

    Return the member, and the ids that a till keeps of it.
    """
    name = f"{slug}person{'abcd'[place]}".title()
    member = a_proved_member(session, f"{name}@mail.{slug}.example".lower(), first_name=name, language="en")
    welcomed = welcome.welcome(session, member, contact=name)
    scan = scans.read(session, qr(session, member), till=till)
    result = cards.record_purchase(
        session, Basket(4400, RECEIPT, clock.now()), member=member, till=till, scan_id=scan.id
    )
    assert welcomed is not None
    assert welcomed.gift is not None
    used = rewards.redeem(session, welcomed.gift.code, till=till)
    sold = [
        serial.sell(session, SERIAL, member=member, till=till, receipt=f"{RECEIPT}-{number}", at=clock.now()).card
        for number in range(2)
    ]
    lunch = serial.use(session, SERIAL, member_id=member.id, till=till).rows[0][0]
    static = scans.read(session, lookup.codes_of(session, member.id).code, till=till)
    rows = (scan, result, used, sold[1], lunch, static, allowing.ask(session, static), a_sold_gift_card(session, till))
    return member.id, (*(row.public_id for row in rows), *readings_of(session, member, till, rows[-1]))


def qr(session: Session, member: Member) -> str:
    """Return the text that the member's phone shows at this moment."""
    secret = keyring(session).decrypt(member.totp_secret)
    return f"HTTPS://LOCALHOST/M/{lookup.codes_of(session, member.id).code}.{totp(secret, totp_step(clock.now()))}"


Bought = tuple[Till, str, tuple[int, tuple[str, ...]]]


def _ids(session: Session, brand: Brand, bought: list[Bought]) -> Side:
    newcomer = f"{brand.slug}newcomer".title()
    joined = a_newcomer(session, f"{newcomer}@mail.{brand.slug}.example".lower(), first_name=newcomer)
    worker = session.scalars(select(Staff).where(Staff.role == "brand_admin")).one()
    staff.set_password(session, worker, PASSWORD)
    keys = keyring(session)
    return Side(
        brand_id=brand.id, slug=brand.slug, name=brand.name,
        outlet=session.scalars(select(Outlet.slug).where(Outlet.id == bought[0][0].outlet_id)).one(),
        tills=tuple(
            TillIds(till.public_id, key, _log_in(session, "till", till.id), *kept)
            for till, key, (_member, kept) in bought
        ),
        members=tuple(_member(session, member_id) for _till, _key, (member_id, _kept) in bought),
        waiting=newcomer, waiting_cookie=_log_in(session, "member", joined.member.id),
        link=keys.text(joined.code.link), digits=keys.text(joined.code.code),
        wordings=_wordings(session), cashiers=_cashiers(session, bought[0][0]),
        manager=misuse.a_manager(session, bought[0][0]), staff_email=worker.email,
        staff_cookie=_log_in(session, "brand", worker.id), flag=misuse.a_flag(session, bought[0][2][1][1]),
    )  # fmt: skip


def _cashiers(session: Session, till: Till) -> tuple[str, ...]:
    here = select(Outlet.reseller_id).where(Outlet.id == till.outlet_id).scalar_subquery()
    rows = session.scalars(select(Staff).where(Staff.role == "cashier").order_by(Staff.reseller_id != here, Staff.id))
    return tuple(row.public_id for row in rows)


def _member(session: Session, member_id: int) -> MemberIds:
    member = session.get_one(Member, member_id)
    codes, contact = lookup.codes_of(session, member_id), lookup.contacts_of(session, member_id)[0]
    coupon = next(view for view in rewards.of_member(session, member_id) if view.usable)
    cookie = _log_in(session, "member", member_id)
    _log_in(session, "member", member_id)
    device = sessions.of_subject(session, door="member", subject_id=member_id)[0].public_id
    assert member.first_name is not None
    return MemberIds(
        member.public_id, member.first_name, contact.value, codes.code, codes.spoken, qr(session, member), coupon.code,
        coupon.coupon.public_id, cookie, device,
    )  # fmt: skip


def _with_passes(runtime: Runtime, side: Side) -> Side:
    """Let every member have the card on an iPhone, and at Google."""
    with clock.moved(to=NOW):
        with runtime.database.unit(side.brand_id) as session:
            words = {"en": f"News of {side.slug}"}
            news = messages.publish(session, header=words, body=words, ends_at=NOW + DAY)
            brand_templates.save(session, "coupon", {"fi.lproj/pass.strings": COUPON_WORDS.read_bytes()})
            own = own_program(session, side.slug)
        members = tuple(_with_pass(runtime, side, one) for one in side.members)
        return replace(side, members=members, news=news.public_id, **own)


def _with_pass(runtime: Runtime, side: Side, member: MemberIds) -> MemberIds:
    database, phone = runtime.database, secrets.token_hex(16)
    with database.reading(side.brand_id) as session:
        row = session.scalars(select(Member).where(Member.public_id == member.public_id)).one()
        wallet.apple_pass(session, runtime, row)
    with database.unit(side.brand_id) as session:
        card = session.scalars(select(WalletPass).where(WalletPass.member_id == row.id)).one()
        token = keyring(session).text(card.token or b"")
        devices.register(session, card, device=phone, push_token=secrets.token_hex(32))
        at_google = rows.ensure_pass(session, member_id=row.id, kind="google", program_id=card.program_id)
    return replace(member, serial=card.serial, pass_token=token, phone=phone, object=at_google.serial)


def _log_in(session: Session, door: str, subject_id: int) -> str:
    return sessions.start(session, door=door, subject_id=subject_id, lasts=DAY)


def _wordings(session: Session) -> dict[str, str]:
    rows = session.scalars(select(Wording).where(Wording.language == "en"))
    return {row.kind.removeprefix("consent.").removesuffix(".marketing"): row.public_id for row in rows}
