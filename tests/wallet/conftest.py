"""A self-made chain, the shipped templates and a card to show."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.core import clock
from app.core.db import Database
from app.core.settings import Settings
from app.fakes.wallet_chain import WalletChain, wallet_chain
from app.wallet.model import CardView, CouponView, Links
from app.wallet.signer import Signer
from app.wallet.templates import Template, load_templates
from tests.wallet.shop import Shop, a_shop

TEMPLATES = Path(__file__).parents[2] / "wallet_templates"
CARD = CardView(
    brand_name="Meri Roastery",
    program_name="Kahvikortti",
    unit="leimaa",
    stamps=7,
    size=10,
    member_name="Päivi Ö.",
    member_qr="HTTPS://MERI.EXAMPLE/M/ABCDEFGH23456789",
    spoken_code="7K3Q X9P2",
    language="fi",
    coupons=(CouponView("Ilmainen kahvi", "ABCDEFGHJKLM7", "30.11.2026"),),
    links=Links(
        card="https://meri.example/meri/",
        terms="https://meri.example/meri/terms",
        privacy="https://meri.example/meri/privacy",
        stop="https://meri.example/meri/profile",
        logo="https://meri.example/meri/logo.png",
    ),
    contact="Meri Roastery Oy\nasiakaspalvelu@meri.example",
    news="Leima nro 7 kortissa",
)


@pytest.fixture(scope="session")
def chain(tmp_path_factory: pytest.TempPathFactory) -> WalletChain:
    """Root, intermediate and signer, made once."""
    return wallet_chain(tmp_path_factory.mktemp("wallet") / "chain")


@pytest.fixture(scope="session")
def signer(chain: WalletChain) -> Signer:
    return Signer.load(certificate=chain.certificate, key=chain.key, wwdr=chain.wwdr, now=clock.now())


@pytest.fixture(scope="session")
def template() -> Template:
    return load_templates(TEMPLATES)["stamp-card"]


@pytest.fixture(scope="session")
def a_view() -> Callable[..., CardView]:
    """Build a card: 7 of 10 stamps, one coupon, a Finnish member."""

    def build(**changes: Any) -> CardView:
        return replace(CARD, **changes)

    return build


@pytest.fixture
def shop(database: Database, settings: Settings, chain: WalletChain) -> Shop:
    return a_shop(database, settings, chain)


@pytest.fixture
def small(sqlite: Database, settings: Settings, chain: WalletChain) -> Shop:
    """The same where the kind of database makes no difference."""
    return a_shop(sqlite, settings, chain)
