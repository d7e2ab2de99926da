"""What goes on the wire for an address that an editor or a server wrote."""

from __future__ import annotations

import urllib.parse
from functools import lru_cache

import yarl

# Everything that may stand in a path or query (RFC 3986, sections 3.3 and 3.4); "%" because what is encoded already
# stays as it was written.
_KEPT = "!$%&'()*+,/:;=?@~"


class UnusableAddressError(ValueError):
    """Not an http(s) address that can be asked for; the text says why, without the address."""


@lru_cache(maxsize=4096)
def parse(text: str) -> yarl.URL:
    """The address to ask for: scheme and host in lower case, the host in IDNA, no userinfo, no fragment.

    What is not ASCII in the path or query is percent-encoded as UTF-8, bytes that came surrogate-escaped as
    themselves; nothing else is rewritten, since some servers compare bytes.
    """
    try:
        parts = urllib.parse.urlsplit(text)
        if parts.scheme not in ("http", "https"):
            raise UnusableAddressError("its scheme is not http or https")
        if not parts.hostname:
            raise UnusableAddressError("it has no host")
        origin = yarl.URL.build(scheme=parts.scheme, host=parts.hostname.rstrip("."), port=parts.port)
        tail = "?" + parts.query if parts.query else ""
        target = urllib.parse.quote((parts.path or "/") + tail, safe=_KEPT, errors="surrogateescape")
        return yarl.URL(f"{origin.scheme}://{origin.raw_authority}{target}", encoded=True)
    except UnusableAddressError:
        raise
    except ValueError as error:
        raise UnusableAddressError("it is malformed") from error


def follow(base: yarl.URL, location: str) -> yarl.URL:
    """Where a Location header of an answer from `base` leads (RFC 9110, section 10.2.2)."""
    return parse(urllib.parse.urljoin(str(base), location))


def is_home(url: yarl.URL, home: yarl.URL) -> bool:
    """Whether `url` may be told the secrets of `home`: it is of the same origin (RFC 6454), or on the same host with
    TLS instead of without, each at its usual port."""
    if url.origin() == home.origin():
        return True
    is_same_host = url.raw_host == home.raw_host and url.is_default_port() and home.is_default_port()
    return is_same_host and url.scheme == "https"


def userinfo(text: str) -> tuple[str, str] | None:
    """The user name and password that an address carries, decoded, or None."""
    if "@" not in text:
        return None
    parts = urllib.parse.urlsplit(text)
    if parts.username is None:
        return None
    return urllib.parse.unquote(parts.username), urllib.parse.unquote(parts.password or "")
