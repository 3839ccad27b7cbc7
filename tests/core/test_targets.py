"""Where a request may go: strangers' addresses, the allow-list and the public network."""

import ipaddress

import pytest

from app.core.outbound import Outbound
from app.core.targets import AddressRefused, is_public


def to(*addresses: str) -> Outbound:
    return Outbound(allowed=["push.example.com"], look_up=lambda host: addresses)


@pytest.mark.parametrize(
    "url",
    [
        "http://push.example.com/x",
        "https://push.example.com:8443/x",
        "https://push.example.com:0443/x",
        "https://user@push.example.com/x",
        "https://user:secret@push.example.com/x",
        "https://push.example.com@evil.example/x",
        "https://evil.example\\@push.example.com/x",
        "https://push.example.com#@evil.example/",
        "https://push.example.com./x",
        "https://evilpush.example.com.evil.example/x",
        "https://evil-push.example.com/x",
        "https://xpush.example.com/x",
        "https://example.com/x",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://2130706433/x",
        "https://0x7f.1/x",
        "https://push.example.com/a b",
        "https://push.example.com/\r\nHost: evil.example",
        "https://push.example.com/x\n",
        " https://push.example.com/x",
        "https://push.example.com/é",
        "https://puſh.example.com/",
        "https://push.example.com/" + "x" * 2048,
        "//push.example.com/x",
        "ftp://push.example.com/x",
        "",
    ],
)
def test_address_that_is_not_a_plain_allowed_one_is_refused_before_its_name_is_looked_up(url: str) -> None:
    asked: list[str] = []
    outbound = Outbound(allowed=["push.example.com"], look_up=lambda host: asked.append(host) or ["93.184.216.34"])

    with pytest.raises(AddressRefused):
        outbound.check_endpoint(url)
    with pytest.raises(AddressRefused):
        outbound.request("POST", url, {}, b"x")

    assert asked == []
    outbound.close()


@pytest.mark.parametrize(
    "url",
    ["https://push.example.com", "HTTPS://PUSH.Example.com:443/a?b=c", "https://eu.web.push.example.com/w/%20~!$"],
)
def test_allowed_host_and_names_under_it_pass_the_check_when_they_lead_to_the_public_network(url: str) -> None:
    outbound = to("93.184.216.34", "2606:2800:220:1::1")

    outbound.check_endpoint(url)

    outbound.close()


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.9.9.9",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "0.0.0.0",
        "100.64.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fc00::1",
        "fd12::1",
        "fec0::1",
        "ff02::1",
        "ff0e::1",
        "::ffff:127.0.0.1",
        "::ffff:93.184.216.34",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "2002:7f00:1::1",
        "2001:0:1::1",
        "2001:db8::1",
    ],
)
def test_address_that_is_not_public_is_refused_also_beside_a_public_one(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))
    for addresses in ([address], ["93.184.216.34", address]):
        outbound = to(*addresses)
        with pytest.raises(AddressRefused):
            outbound.check_endpoint("https://push.example.com/x")
        with pytest.raises(AddressRefused):
            outbound.request("GET", "https://push.example.com/x")
        outbound.close()


def test_public_addresses_are_public() -> None:
    assert all(is_public(ipaddress.ip_address(one)) for one in ("8.8.8.8", "142.250.74.106", "2a00:1450:400f::200a"))
