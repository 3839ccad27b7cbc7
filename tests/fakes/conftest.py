"""A service with one pass and a phone that has it."""

from collections.abc import Iterator

import pytest

from app.fakes.iphone import SimulatedIPhone
from app.fakes.wallet_chain import WalletChain, wallet_chain
from tests.fakes.googleside import Side, a_side
from tests.fakes.phoneside import Service, a_pass, a_phone


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> WalletChain:
    return wallet_chain(tmp_path_factory.mktemp("iphone") / "chain")


@pytest.fixture
def service(chain: WalletChain) -> Service:
    """A service with one pass."""
    found = Service()
    found.put(a_pass(chain))
    return found


@pytest.fixture
def phone(service: Service, chain: WalletChain) -> SimulatedIPhone:
    """A phone that has this pass."""
    found = a_phone(service, chain)
    found.add(service.passes["one"][1])
    return found


@pytest.fixture
def side(chain: WalletChain) -> Iterator[Side]:
    """A fake Google that knows the chain's account."""
    with a_side(chain) as found:
        yield found
