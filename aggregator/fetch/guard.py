"""Which IP addresses may be connected to, judged on the very address, before any byte is sent."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import threading
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

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


@dataclass(slots=True)
class Attempt:
    """What the guard saw while one request was given a connection. `sent` is called when the request goes out."""

    sent: Callable[[], None]
    connected: bool = False
    refused: list[Address] = field(default_factory=list)


# A socket factory is told nothing of the request that it works for.
current: ContextVar[Attempt] = ContextVar("current")


class Guard:
    """Makes sockets towards public addresses, and towards those in `allowed`."""

    def __init__(self, allowed: Sequence[Network]) -> None:
        self._allowed = tuple(allowed)

    def missing(self, address: Address) -> list[Network]:
        """What would have to be allowed for this address, and for each one that it embeds; empty if nothing."""
        return [_only(one) for one in (address, *embedded(address)) if not self._passes(one)]

    def _passes(self, address: Address) -> bool:
        return is_public(address) or any(
            network.version == address.version and address in network for network in self._allowed
        )

    def socket(self, info: aiohttp.AddrInfoType) -> socket.socket:
        """aiohttp's socket factory. Refuses with an OSError, so that the name's next address is tried."""
        family, kind, protocol, _, target = info
        address = ip_address(target[0])
        attempt = current.get()
        if self.missing(address):
            attempt.refused.append(address)
            raise OSError(errno.EACCES, "refused")
        attempt.connected = True
        return socket.socket(family, kind, protocol)


def _only(address: Address) -> Network:
    """The network of this one address."""
    if isinstance(address, IPv4Address):
        return IPv4Network(address)
    return IPv6Network(int(address))


class Resolver(AbstractResolver):
    """Looks names up, each in a thread of its own that dies with the process.

    getaddrinfo cannot be cancelled: in a pool, a few names whose server is silent would hold up all others, and the
    end of the process.
    """

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[list[ResolveResult]] = loop.create_future()

        def look_up() -> None:
            try:
                found, error = _look_up(host, port, family), None
            except (OSError, UnicodeError) as failure:
                found, error = [], failure
            with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
                loop.call_soon_threadsafe(_settle, answer, found, error)

        threading.Thread(target=look_up, name=f"look up {host}", daemon=True).start()
        return await answer

    async def close(self) -> None:
        """Nothing is held."""


def _settle(answer: asyncio.Future[list[ResolveResult]], found: list[ResolveResult], error: Exception | None) -> None:
    if answer.done():
        return
    if error is None:
        answer.set_result(found)
    else:
        answer.set_exception(error)


def _look_up(host: str, port: int, family: socket.AddressFamily) -> list[ResolveResult]:
    infos = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    return [
        ResolveResult(hostname=host, host=str(target[0]), port=port, family=one, proto=protocol, flags=0)
        for one, _, protocol, _, target in infos
    ]
