"""Which IP addresses may be connected to: what a name has is judged once it is looked up, before any byte is sent."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# As getaddrinfo gives it: family, kind, protocol, canonical name, address.
Place = tuple[int, int, int, str, tuple[Any, ...]]
LookUp = Callable[[str, int], Awaitable[Sequence[Place]]]

# The IANA special-purpose registry (RFC 6890) and multicast. Written out, because ipaddress.is_global differs between
# Python releases and passes multicast.
_SPECIAL_IPV4 = tuple(
    IPv4Network(block)
    for block in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)

# All of IPv6 that is given out to networks (RFC 4291, section 2.4), less the special blocks inside it. Mapped,
# compatible, NAT64, unique local, link-local and multicast addresses are outside.
_GLOBAL_IPV6 = IPv6Network("2000::/3")
_SPECIAL_IPV6 = tuple(IPv6Network(block) for block in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))

# Unspecified and loopback: the only addresses of ::/96 that are not IPv4-compatible (RFC 4291, section 2.5).
_NOT_COMPATIBLE = IPv6Network("::/127")

_6TO4 = IPv6Network("2002::/16")
_TEREDO = IPv6Network("2001::/32")

# Compatible and mapped, stateless translation, NAT64 and its local-use prefix: the IPv4 address comes last.
_IPV4_AT_THE_END = tuple(
    IPv6Network(block) for block in ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48")
)


def embedded(address: Address) -> tuple[IPv4Address, ...]:
    """The IPv4 addresses to which packets for an IPv6 transition address would really go."""
    if isinstance(address, IPv4Address):
        return ()
    number = int(address)
    if address in _6TO4:
        return (IPv4Address(number >> 80 & 0xFFFFFFFF),)
    if address in _TEREDO:  # its server, and its client with every bit inverted (RFC 4380, section 4)
        return IPv4Address(number >> 64 & 0xFFFFFFFF), IPv4Address(~number & 0xFFFFFFFF)
    if address not in _NOT_COMPATIBLE and any(address in network for network in _IPV4_AT_THE_END):
        return (IPv4Address(number & 0xFFFFFFFF),)
    return ()


def is_public(address: Address) -> bool:
    """Whether the address itself is one that anybody on the internet may have been given."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _SPECIAL_IPV4)
    return address in _GLOBAL_IPV6 and not any(address in network for network in _SPECIAL_IPV6)


class ForbiddenError(Exception):
    """None of the addresses of a host may be connected to: `addresses`."""

    def __init__(self, addresses: Sequence[Address]) -> None:
        super().__init__(", ".join(map(str, addresses)))
        self.addresses = addresses


class Guard:
    """Lets through public addresses, and those in `allowed`."""

    def __init__(self, allowed: Sequence[Network]) -> None:
        self._allowed = tuple(allowed)

    def missing(self, address: Address) -> list[Network]:
        """What would have to be allowed for this address, and for each one that it embeds; empty if nothing."""
        return [_only(one) for one in (address, *embedded(address)) if not self._passes(one)]

    def _passes(self, address: Address) -> bool:
        return is_public(address) or any(
            network.version == address.version and address in network for network in self._allowed
        )

    def passing(self, places: Sequence[Place]) -> list[Place]:
        """Those of the places that may be connected to. Raises ForbiddenError where there is none."""
        addresses = [ip_address(target[0]) for *_, target in places]
        passing = [place for place, address in zip(places, addresses, strict=True) if not self.missing(address)]
        if not passing:
            raise ForbiddenError(addresses)
        return passing


def _only(address: Address) -> Network:
    """The network of this one address."""
    if isinstance(address, IPv4Address):
        return IPv4Network(address)
    return IPv6Network(int(address))


async def places(host: str, port: int, look_up: LookUp) -> Sequence[Place]:
    """Where a host can be reached: an address as it is, a name as `look_up` finds it."""
    try:
        return _found(host, port, socket.AI_NUMERICHOST)
    except OSError:
        return await look_up(host, port)


async def look_up(host: str, port: int) -> Sequence[Place]:
    """Look a name up, in a thread of its own that dies with the process.

    getaddrinfo cannot be cancelled: in a pool, a few names whose server is silent would hold up all others, and the
    end of the process.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Sequence[Place]] = loop.create_future()

    def work() -> None:
        try:
            found, error = _found(host, port, socket.AI_ADDRCONFIG), None
        except (OSError, UnicodeError) as failure:
            found, error = [], failure
        with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
            loop.call_soon_threadsafe(_settle, answer, found, error)

    threading.Thread(target=work, name=f"look up {host}", daemon=True).start()
    return await answer


def _settle(answer: asyncio.Future[Sequence[Place]], found: Sequence[Place], error: Exception | None) -> None:
    if answer.done():
        return
    if error is None:
        answer.set_result(found)
    else:
        answer.set_exception(error)


def _found(host: str, port: int, flags: int) -> Sequence[Place]:
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
