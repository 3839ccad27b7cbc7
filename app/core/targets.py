"""Where a request may go: one strict reading of an address, and what counts as the public network.

Source: trust.md, "Controls" (outgoing requests); messages.md, "Web push" (an endpoint comes from a stranger).
"""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

URL_LENGTH = 2048
# What this does not match is never shown to a second, laxer parser: two readings of one address are a hole.
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_URL = re.compile(
    rf"https://(?P<host>(?:{_LABEL}\.)+[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])?)(?::443)?"
    r"(?P<rest>(?:/[A-Za-z0-9\-._~!$&'()*+,;=:@%/]*)?(?:\?[A-Za-z0-9\-._~!$&'()*+,;=:@%/?]*)?)",
    re.IGNORECASE | re.ASCII,
)
# Networks that carry another address inside, which could be a private one.
_TUNNELS = tuple(ipaddress.ip_network(net) for net in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32"))


class OutboundError(Exception):
    """A request brought no answer. `sent` tells whether the other side may have seen it."""

    sent = False


class AddressRefused(OutboundError):
    """The address is malformed, its host is not on the list, or it does not lead to the public network."""


@dataclass(frozen=True, slots=True)
class Target:
    """A checked address: the host in lower case, and the path with its query."""

    host: str
    rest: str

    @property
    def origin(self) -> str:
        """Return `https://host`; the port is always 443."""
        return f"https://{self.host}"


def read_target(url: str) -> Target:
    """Read an https address on port 443 without user info or fragment.

    Raises:
        AddressRefused: it is anything else.
    """
    match = _URL.fullmatch(url) if len(url) <= URL_LENGTH else None
    if match is None:
        raise AddressRefused("not a plain https address on port 443")
    return Target(match["host"].lower(), match["rest"])


class AllowList:
    """Hosts that may be spoken to; each also allows the names under it."""

    def __init__(self, hosts: Iterable[str]) -> None:
        self._hosts = frozenset(host.lower().strip(".") for host in hosts if host.strip("."))

    def __contains__(self, host: str) -> bool:
        labels = host.split(".")
        return any(".".join(labels[at:]) in self._hosts for at in range(len(labels)))


def is_public(address: Address) -> bool:
    """Tell whether an address is one of the public network, and not one that wraps another."""
    if any(address in net for net in _TUNNELS):
        return False
    if isinstance(address, ipaddress.IPv6Address) and (address.ipv4_mapped is not None or address.is_site_local):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_link_local)


def read_origin(name: str) -> str:
    """Return `https://host` in lower case. Raises ValueError."""
    try:
        target = read_target(name)
    except AddressRefused as error:
        raise ValueError(f"{name}: {error}") from error
    if target.rest:
        raise ValueError(f"{name}: an origin has no path")
    return target.origin


def read_loopback(base: str) -> str:
    """Return the base address of a fake, without a slash at its end. Raises ValueError."""
    if not re.fullmatch(r"https?://(127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\]):\d{1,5}/?", base):
        raise ValueError(f"{base}: a fake answers at http://127.0.0.1:port")
    return base.rstrip("/")


def read_parts(value: str) -> SplitResult:
    """Read an address; its own words for a fault would show part of a password."""
    try:
        parts = urlsplit(value)
        if parts.port == 0:
            raise ValueError
    except ValueError:
        raise ValueError("is no address with a port from 1 to 65535") from None
    return parts


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine."""
    try:
        return host == "localhost" or host.endswith(".localhost") or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
