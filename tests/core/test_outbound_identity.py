"""Requests that carry a client certificate: shown to the server that demands it, one lasting connection for each."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from app.core.outbound import (
    AddressRefused,
    Answer,
    AnswerLost,
    Identity,
    NotReachable,
    Outbound,
    OutboundError,
    Outgoing,
)
from app.fakes.apns import FakeApns
from app.fakes.wallet_chain import WalletChain, wallet_chain

ORIGIN = "https://api.push.apple.com"


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> WalletChain:
    return wallet_chain(tmp_path_factory.mktemp("identity") / "chain")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> WalletChain:
    """A chain of the same names and other keys."""
    return wallet_chain(tmp_path_factory.mktemp("identity") / "other")


@pytest.fixture
def server(chain: WalletChain) -> Iterator[FakeApns]:
    """A TLS server that knows the root only, so that the client has to send the intermediate certificate too."""
    with FakeApns(chain.root) as fake:
        yield fake


@pytest.fixture
def out(server: FakeApns) -> Iterator[Outbound]:
    outbound = Outbound(allowed=["api.push.apple.com"], mapping=server.mapping, roots=[server.root])
    yield outbound
    outbound.close()


def ask(out: Outbound, server: FakeApns, identity: Identity | None) -> Answer | OutboundError:
    """Send one request to a known phone."""
    return out.request_many([request_for(server, identity)])[0]


def request_for(server: FakeApns, identity: Identity | None) -> Outgoing:
    headers = {"apns-topic": "pass.fi.leima.demo"}
    return Outgoing("POST", f"{ORIGIN}/3/device/{server.token()}", headers, b"{}", identity)


def identity_of(chain: WalletChain) -> Identity:
    return Identity(chain.certificate + chain.wwdr, chain.key)


def test_server_that_demands_a_certificate_gets_it_with_its_chain(
    out: Outbound, server: FakeApns, chain: WalletChain
) -> None:
    answer = ask(out, server, identity_of(chain))

    assert isinstance(answer, Answer)
    assert answer.status == 200


def test_key_may_be_written_in_the_older_form_and_the_texts_may_lack_a_last_line_break(
    out: Outbound, server: FakeApns, chain: WalletChain
) -> None:
    key = load_pem_private_key(chain.key, None)
    older = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())

    answer = ask(out, server, Identity((chain.certificate + chain.wwdr).strip(), older.strip()))

    assert isinstance(answer, Answer)
    assert answer.status == 200


@pytest.mark.parametrize("which", ["none", "without its chain", "of another authority"])
def test_server_does_not_let_in_who_does_not_prove_to_be_of_its_authority(
    which: str, out: Outbound, server: FakeApns, chain: WalletChain, other: WalletChain
) -> None:
    shown = {
        "none": None,
        "without its chain": Identity(chain.certificate, chain.key),
        "of another authority": identity_of(other),
    }[which]

    assert isinstance(ask(out, server, shown), AnswerLost | NotReachable)
    assert server.received == []


@pytest.mark.parametrize("which", ["no PEM", "no key", "the key of another certificate", "encrypted"])
def test_identity_that_cannot_be_used_is_refused_before_anything_is_sent(
    which: str, out: Outbound, server: FakeApns, chain: WalletChain, other: WalletChain
) -> None:
    good = identity_of(chain)
    shown = {
        "no PEM": Identity(b"certificate", b"key"),
        "no key": replace(good, key=b""),
        "the key of another certificate": replace(good, key=other.key),
        "encrypted": replace(
            good, key=b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nMA==\n-----END ENCRYPTED PRIVATE KEY-----\n"
        ),
    }[which]

    refused = ask(out, server, shown)

    assert isinstance(refused, AddressRefused)
    assert "BEGIN" not in str(refused)
    assert server.connections == 0


def test_server_whose_certificate_is_not_trusted_gets_nothing(server: FakeApns, chain: WalletChain) -> None:
    outbound = Outbound(allowed=["api.push.apple.com"], mapping=server.mapping)

    assert isinstance(ask(outbound, server, identity_of(chain)), NotReachable)

    outbound.close()
    assert server.received == []


def test_first_large_batch_makes_one_connection_and_later_ones_use_it(
    out: Outbound, server: FakeApns, chain: WalletChain
) -> None:
    identity = identity_of(chain)

    for _round in range(3):
        answers = out.request_many([request_for(server, identity) for _phone in range(300)])
        assert Counter(isinstance(one, Answer) and one.status for one in answers) == {200: 300}

    assert server.connections == 1


def test_each_identity_has_a_connection_of_its_own_and_equal_ones_share(
    out: Outbound, server: FakeApns, chain: WalletChain
) -> None:
    first, equal = identity_of(chain), identity_of(chain)
    longer = Identity(chain.certificate + chain.wwdr + chain.root, chain.key)

    for shown in (first, equal, longer, first):
        ask(out, server, shown)

    assert server.connections == 2
    assert first.digest == equal.digest != longer.digest


def test_request_without_an_identity_is_not_sent_over_the_connection_of_one(
    out: Outbound, server: FakeApns, chain: WalletChain
) -> None:
    assert isinstance(ask(out, server, identity_of(chain)), Answer)

    assert isinstance(ask(out, server, None), OutboundError)


def test_service_that_is_down_is_not_reachable_and_the_next_request_after_it_came_back_is_answered(
    out: Outbound, server: FakeApns, chain: WalletChain
) -> None:
    identity = identity_of(chain)
    ask(out, server, identity)

    server.down()
    lost = [ask(out, server, identity) for _try in range(2)]
    server.up()

    assert all(isinstance(one, OutboundError) for one in lost)
    assert isinstance(lost[-1], NotReachable)
    answer = ask(out, server, identity)
    assert isinstance(answer, Answer)
    assert answer.status == 200


def test_identity_shows_neither_certificate_nor_key_when_it_is_printed(chain: WalletChain) -> None:
    shown = repr(request_for(FakeApns(chain.root), identity_of(chain))) + repr(identity_of(chain))

    assert "BEGIN" not in shown
    assert identity_of(chain).digest not in shown


def test_quiet_request_leaves_the_body_of_a_good_answer_and_reads_that_of_a_refusal(
    out: Outbound, server: FakeApns, chain: WalletChain
) -> None:
    request = replace(request_for(server, identity_of(chain)), quiet=True)
    server.tell(None, 200, "as told")
    server.tell(None, 503, "Shutdown")

    good, bad = (out.request_many([request])[0] for _request in range(2))

    assert isinstance(good, Answer)
    assert isinstance(bad, Answer)
    assert (good.status, good.body) == (200, b"")
    assert (bad.status, bad.body) == (503, b'{"reason": "Shutdown"}')
