"""A brand with one stamp card and one member, served with a self-made certificate."""

import dataclasses
import io
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cards import service as cards
from app.cards.models import Program, ProgramVersion
from app.core import clock
from app.core.db import Database
from app.core.runtime import Runtime
from app.core.settings import Settings
from app.fakes.wallet_chain import ISSUER_ID, WalletChain
from app.ledger.service import Basket
from app.members.models import Member
from app.network.models import Till
from app.rewards.models import Reward
from app.wallet import google_link
from app.wallet import service as wallet
from app.wallet.models import WalletPass
from app.wallet.outgoing import HOSTS
from app.wallet.service import PassFile
from tests.builders import a_brand, a_member

FOREVER = datetime(2000, 1, 1, tzinfo=UTC)
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SIZE = 5


@dataclasses.dataclass
class Shop:
    """A brand with one stamp card and one member, and the process that serves it."""

    runtime: Runtime
    brand_id: int
    member_id: int
    chain: WalletChain

    def apple(self, member_id: int | None = None, **options: Any) -> PassFile:
        """Download the pass as a GET does: with a session that only reads."""
        with self.runtime.database.reading(self.brand_id) as session:
            return wallet.apple_pass(session, self.runtime, self._member(session, member_id), **options)

    def google(self, member_id: int | None = None) -> str:
        """Press the button; where no Google answers, the card is in the link."""
        who = member_id or self.member_id
        return google_link.save_link(self.runtime, brand_id=self.brand_id, member_id=who)

    def buy(self, receipt: str, cents: int = 400) -> None:
        with self.runtime.database.unit(self.brand_id) as session:
            till = session.scalars(select(Till).order_by(Till.id).limit(1)).one()
            basket = Basket(cents, receipt, clock.now())
            cards.record_purchase(session, basket, member=self._member(session, None), till=till)

    def change(self, what: Callable[[Session], object]) -> Any:
        with self.runtime.database.unit(self.brand_id) as session:
            return what(session)

    def rows(self) -> list[WalletPass]:
        with self.runtime.database.reading(self.brand_id) as session:
            return list(session.scalars(select(WalletPass).order_by(WalletPass.id)))

    def _member(self, session: Session, member_id: int | None) -> Member:
        return session.get_one(Member, member_id or self.member_id)


def a_program(session: Session, slug: str = "coffee", icon: str = "cup") -> Program:
    """Build a stamp card: a stamp for each full 4 euros, five of them a free coffee."""
    reward = Reward(slug=f"free-{slug}", name={"en": "Free coffee", "sv": "Gratis kaffe"}, icon=icon)
    name, unit = {"en": f"The {slug} card", "sv": "Kaffekortet"}, {"en": ["stamp", "stamps"], "sv": ["st.", "stämplar"]}
    program = Program(slug=slug, name=name, unit=unit, position=len(slug))
    session.add_all((reward, program))
    session.flush()
    rule = {"per": "euros", "cents": 400, "award": 1}
    version = {"number": 1, "valid_from": FOREVER, "size": SIZE, "rule": rule}
    session.add(ProgramVersion(program_id=program.id, reward_id=reward.id, **version))
    session.flush()
    return program


def a_shop(database: Database, settings: Settings, chain: WalletChain, **fields: Any) -> Shop:
    """Build a brand with a card and a member, served with a certificate that is right unless `fields` say other."""
    brand_id = a_brand(database, contact="hei@meri.example")
    with database.unit(brand_id) as session:
        a_program(session)
        member_id = a_member(session, last_name="Korhonen").id
    files = {
        "apple_certificate": chain.certificate, "apple_key": chain.key, "apple_wwdr": chain.wwdr,
        "google_service_account": chain.service_account,
    }  # fmt: skip
    settings.data_dir.mkdir(exist_ok=True)
    paths: dict[str, Any] = {name: settings.data_dir / name for name in files}
    for name, data in files.items():
        paths[name].write_bytes(data)
    nobody = dict.fromkeys((f"https://{host}" for host in HOSTS), "http://127.0.0.1:9")  # a closed port: at once
    fields["outbound_map"] = nobody | fields.get("outbound_map", {})
    served = settings.model_copy(update={**paths, "google_issuer": ISSUER_ID, **fields})
    return Shop(Runtime(served, database), brand_id, member_id, chain)


def files_of(made: PassFile) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(made.body)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def face(made: PassFile) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(files_of(made)["pass.json"])
    return found


def fields_of(made: PassFile) -> dict[str, str]:
    return {field["key"]: field["value"] for part in face(made)["storeCard"].values() for field in part}
