"""Web addresses: the key under which two links are one page, and safe absolute links out of what feeds write.

Nothing here raises on any text, and nothing here asks the network. Names of parameters that only track are data:
`data/tracking.txt`, whose head says how it is written.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from html import unescape
from ipaddress import AddressValueError, IPv6Address
from pathlib import Path
from typing import NamedTuple

# Longer ones are no addresses: servers and browsers refuse them (RFC 9110, section 4.1, asks for 8,000 at least).
_MAX_URL = 8192
# A host name has at most 253 characters (RFC 1035, section 2.3.4).
_MAX_AUTHORITY = 512
_MAX_HOST = 253
_MAX_PORT = 65535
_DEFAULT_PORTS = {"http": "80", "https": "443"}

_NEWLINES = re.compile(r"[\t\n\r]")
_ENDS = "".join(map(chr, range(33))) + "\x7f\xa0\u200b\u3000\ufeff"
_AMPERSAND = re.compile(r"&(?:amp;|#0*38;|#[xX]0*26;)+")
_SCHEME = re.compile(r"[^/?#]*?:")
_ABSOLUTE = re.compile(r"(https?):/+([^/?#]+)([^?#]*)(\?[^#]*)?(#.*)?", re.IGNORECASE | re.DOTALL)
_RELATIVE = re.compile(r"([^?#]*)(\?[^#]*)?(#.*)?", re.DOTALL)
_BRACKETED = re.compile(r"\[([0-9a-fA-F:.]+)\](?::(.*))?")
_HOST = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")
# An absolute URL that `join` would give back as it is, as most are: nothing to encode, to resolve or to leave out.
_FINISHED = re.compile(
    r"https?://(?=[^/]{1,253}/)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*(?::[1-5]\d{3,4})?/"
    r"(?>(?:[A-Za-z0-9\-_~!$'()*+,=@/&:]++(?>(?:\.[A-Za-z0-9\-_~!$'()*+,=@&:]++)?))*)"
    r"(?:[?#][A-Za-z0-9\-._~!$'()*+,=@/&:]+)?"
)
_DOTS = re.compile(r"[.\u3002\uff0e\uff61]")

# What must be percent-encoded (RFC 3986, sections 3.3 to 3.5), and what percent-encoding never changes the meaning of.
# (A pattern that begins with a set of characters is searched for fast; so what is said of `%` stands behind it.)
_ILLEGAL = re.compile(r"[^A-Za-z0-9\-._~!$&'()*+,;=:@/?](?<!%(?=[0-9a-fA-F]{2}))")
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9\-._~!$&'()*+,;=:@/?](?:(?<=%)[0-9a-fA-F]{2})?")
_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$'()*,:@")

_SLASHES = re.compile(r"//+")
_SESSION = re.compile(r";jsessionid=[^/]*", re.IGNORECASE)
_INDEX = re.compile(r"/(?:index|default)\.(?:s?html?|php|jsp|aspx?)$", re.IGNORECASE)
# Only after a segment that looks like an article's: `/gear/amp` is a page of its own.
_AMP = re.compile(r"(/[^/]*[\d-][^/]*)/amp$")
_LANGUAGE_ROOT = re.compile(r"/[a-z]{2}(?:-[A-Za-z]{2,4})?")


class _Parts(NamedTuple):
    """An absolute http or https URL, taken apart. `query` and `fragment` are empty or keep their `?` and `#`."""

    scheme: str
    authority: str
    path: str
    query: str
    fragment: str

    def text(self) -> str:
        return f"{self.scheme}://{self.authority}{self.path}{self.query}{self.fragment}"


# ---------------------------------------------------------------------------------------------- tracking parameters


@dataclass(frozen=True, slots=True)
class _Words:
    """A set of parameters: names and `name=value` pairs, and beginnings of names."""

    exact: frozenset[str] = frozenset()
    prefixes: tuple[str, ...] = ()

    def has(self, name: str, part: str) -> bool:
        return name in self.exact or part in self.exact or name.startswith(self.prefixes)

    def plus(self, words: Iterable[str]) -> _Words:
        prefixes, exact = _partition(words)
        return _Words(self.exact | exact, tuple(sorted({*self.prefixes, *prefixes})))

    def minus(self, words: Iterable[str]) -> _Words:
        prefixes, exact = _partition(words)
        return _Words(self.exact - exact, tuple(prefix for prefix in self.prefixes if prefix not in prefixes))


@dataclass(frozen=True, slots=True)
class _Site:
    """What the data file says of one site and its subdomains."""

    drop: _Words = _Words()
    keep: _Words = _Words()
    only: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Tracking:
    """Which parameters say nothing about the page, by site (`*` is every site), and hosts that are one host."""

    sites: Mapping[str, _Site] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)

    def identifies(self, host: str, name: str, part: str) -> bool:
        """Whether the parameter `name` (in lower case), written `part`, tells pages of `host` apart."""
        for site in self._of(host):
            if site.keep.has(name, part):
                return True
            if site.drop.has(name, part):
                return False
            if site.only is not None:
                return name in site.only
        return not self.sites.get("*", _Site()).drop.has(name, part)

    def _of(self, host: str) -> Iterator[_Site]:
        """The statements about `host`, the nearest first."""
        while host:
            if host in self.sites:
                yield self.sites[host]
            host = host.partition(".")[2]


def _partition(words: Iterable[str]) -> tuple[set[str], frozenset[str]]:
    prefixes = {word for word in words if word.endswith("*")}
    return {prefix[:-1] for prefix in prefixes}, frozenset(words) - prefixes


def load_tracking(extra_text: str | None = None) -> Tracking:
    """The package's data file, and the statements of `extra_text` after it; ValueError names a line that is wrong."""
    own = (Path(__file__).parent / "data" / "tracking.txt").read_text("utf-8")
    sites: dict[str, _Site] = {}
    aliases: dict[str, str] = {}
    for text in (own, extra_text or ""):
        for number, line in enumerate(text.splitlines(), 1):
            words = line.partition("#")[0].lower().split()
            if words:
                _read_statement(words, f"line {number}", sites, aliases)
    return Tracking(sites, aliases)


def _read_statement(words: list[str], place: str, sites: dict[str, _Site], aliases: dict[str, str]) -> None:
    site, verb, *names = [*words, ""][:2] + words[2:]
    if verb == "is":
        _read_alias(site, names, place, aliases)
    elif site == "*" and verb == "only":
        raise ValueError(f"{place}: only is for one site")
    elif verb in ("drop", "keep", "only"):
        if not names and verb != "only":
            raise ValueError(f"{place}: {site} {verb} needs at least one parameter")
        sites[site] = _stated(sites.get(site, _Site()), verb, names)
    else:
        raise ValueError(f"{place}: after {site} comes drop, keep, only or is, not {verb or 'nothing'}")


def _read_alias(host: str, names: list[str], place: str, aliases: dict[str, str]) -> None:
    if len(names) != 1:
        raise ValueError(f"{place}: {host} is … needs exactly one host")
    if names[0] in aliases or host in aliases.values() or names[0].startswith("www."):
        raise ValueError(f"{place}: {host} is {names[0]} would need a second step; name the last host")
    aliases[host] = names[0]


def _stated(site: _Site, verb: str, names: list[str]) -> _Site:
    if verb == "drop":
        return _Site(site.drop.plus(names), site.keep.minus(names), site.only)
    if verb == "keep":
        return _Site(site.drop.minus(names), site.keep.plus(names), site.only)
    return _Site(site.drop, site.keep, frozenset(names))


DEFAULT = load_tracking()


# ---------------------------------------------------------------------------------------------- one page, one key


def canonical(url: str, tracking: Tracking = DEFAULT) -> str | None:
    """The key under which two links are the same page, itself an https URL; None unless `url` is http(s) with a host.

    A key is for comparing: it need not be an address that the server answers. `canonical` of a key is the key.
    """
    key = _key(url, tracking)
    return key and key.text()


def single_page(url: str, tracking: Tracking = DEFAULT) -> str | None:
    """As `canonical`, but None for a front page."""
    key = _key(url, tracking)
    return None if key is None or _is_front_page(key) else key.text()


def is_front_page(url: str, tracking: Tracking = DEFAULT) -> bool:
    """Whether `url` is the root of a host, or of one language of it, so that it names no single page."""
    key = _key(url, tracking)
    return key is not None and _is_front_page(key)


def _is_front_page(key: _Parts) -> bool:
    if key.query or key.fragment:
        return False
    return key.path == "/" or _LANGUAGE_ROOT.fullmatch(key.path) is not None


def _key(url: str, tracking: Tracking) -> _Parts | None:
    """The parts of the key of `url`."""
    parts = _split(_tidy(url))
    if parts is None:
        return None
    site = _site(parts.authority, tracking)
    query = _identifying(parts.query, site, tracking)
    return _Parts("https", site, _page_path(parts.path), query, _route(parts.fragment))


def host(url: str) -> str:
    """The host that `url` names, in lower case and ASCII, without port; empty unless it is http(s) with a host."""
    parts = _split(_tidy(url))
    return re.sub(r":\d+$", "", parts.authority) if parts else ""


def without_login(url: str) -> str:
    """What a person typed as an address, without the user name and password in it: to be shown."""
    return re.sub(r"(\A|//)[^/?#]*@", r"\1", url, count=1)


def _site(authority: str, tracking: Tracking) -> str:
    site = authority.removesuffix(":80").removesuffix(":443")
    while site.startswith("www.") and "." in site[4:]:
        site = site[4:]
    return tracking.aliases.get(site, site)


def _page_path(path: str) -> str:
    path = _NOT_PLAIN.sub(_plain_byte, path)
    path = _SLASHES.sub("/", path) if "//" in path else path
    path = _without_dots(_SESSION.sub("", path) if ";" in path else path)
    shorter = _without_ending(path)
    while shorter != path:
        path, shorter = shorter, _without_ending(shorter)
    return path or "/"


def _without_ending(path: str) -> str:
    """`path` without what servers and publishers put after a page: a slash, an index file, an AMP variant."""
    path = path.rstrip("/")
    if path.endswith("/amp"):
        return _AMP.sub(r"\1", path)
    return _INDEX.sub("", path)


def _identifying(query: str, site: str, tracking: Tracking) -> str:
    """The parameters of `query` that identify a page, sorted by name; those of one name keep their order."""
    if len(query) < 2:
        return ""
    kept = []
    for raw in query[1:].split("&"):
        part = _NOT_PLAIN.sub(_plain_byte, raw).replace("+", "%20")
        name, _, value = part.partition("=")
        if (name or value) and tracking.identifies(site, name.lower(), part.lower()):
            kept.append((name, part if value else name))
    kept.sort(key=lambda pair: pair[0])
    return "?" + "&".join(part for _, part in kept) if kept else ""


def _route(fragment: str) -> str:
    """`fragment` where an application keeps its pages (`#/…`, `#!…`), else nothing."""
    if fragment.startswith(("#/", "#!")) and fragment not in ("#/", "#!", "#!/"):
        return "#" + _NOT_PLAIN.sub(_plain_byte, fragment[1:])
    return ""


def _plain_byte(match: re.Match[str]) -> str:
    """One spelling for each character: unreserved ones as they are, others percent-encoded in upper case."""
    found = match.group()
    if len(found) < 3:
        return _encoded(match)
    character = chr(int(found[1:], 16))
    return character if character in _PLAIN else found.upper()


# ---------------------------------------------------------------------------------------------- safe absolute links


def join(base: str | None, reference: str) -> str | None:
    """The absolute http(s) URL that `reference` means in a document at `base` (RFC 3986, section 5), in ASCII.

    None where there is none: another scheme however disguised, no base for a relative one, no usable host, nothing.
    What browsers mend is mended (blanks around, line breaks within, backslashes); credentials are left out.
    """
    return reference if _is_finished(reference) else _joined(base, _tidy(reference))


def link(base: str | None, reference: str) -> str | None:
    """As `join`, and mailto addresses too."""
    if _is_finished(reference):
        return reference
    tidy = _tidy(reference)
    scheme, _, address = tidy.partition(":")
    if scheme.lower() == "mailto":
        return f"mailto:{_ILLEGAL.sub(_encoded, address)}" if "@" in address else None
    return _joined(base, tidy)


def _is_finished(reference: str) -> bool:
    """Whether `reference` is an absolute URL that joining leaves as it is."""
    return len(reference) <= _MAX_URL and _FINISHED.fullmatch(reference) is not None


def _joined(base: str | None, reference: str) -> str | None:
    """The URL of a tidy reference."""
    if not reference:
        return None
    parts = _split(reference) or (None if _has_scheme(reference) else _resolve(base, reference))
    if parts is None:
        return None
    path = _without_dots(_ILLEGAL.sub(_encoded, parts.path))
    return parts._replace(path=path, query=_legal(parts.query), fragment=_legal(parts.fragment)).text()


def _has_scheme(reference: str) -> bool:
    """Whether a browser could read a scheme in `reference`, also after one more round of character references."""
    return any(_SCHEME.match(reading) for reading in (reference, unescape(reference)))


def _resolve(base: str | None, reference: str) -> _Parts | None:
    """RFC 3986, section 5.2.2, for a reference without a scheme; one that names its host needs no base."""
    start = _split(_tidy(base)) if base else None
    if reference.startswith("//"):
        return _split(f"{start.scheme if start else 'https'}:{reference}")
    match = _RELATIVE.match(reference)
    if start is None or match is None:
        return None
    path, query, fragment = match.group(1), match.group(2) or "", match.group(3) or ""
    if not path:
        return start._replace(query=query or start.query, fragment=fragment)
    if not path.startswith("/"):
        path = start.path.rpartition("/")[0] + "/" + path
    return start._replace(path=path, query=query, fragment=fragment)


def _tidy(url: str) -> str:
    """`url` as a browser takes it: no blanks or controls around, no line breaks within, one `&` for each `&amp;`;
    empty if it is too long to be an address."""
    if len(url) > _MAX_URL:
        return ""
    url = _NEWLINES.sub("", url).strip(_ENDS)
    url = _AMPERSAND.sub("&", url) if "&" in url else url
    if "\\" in url:
        address, mark, rest = url.partition("?")
        url = address.replace("\\", "/") + mark + rest
    return url


def _split(url: str) -> _Parts | None:
    match = _ABSOLUTE.match(url)
    if match is None or len(match.group(2)) > _MAX_AUTHORITY:
        return None
    scheme = match.group(1).lower()
    authority = _authority(match.group(2), _DEFAULT_PORTS[scheme])
    if authority is None:
        return None
    return _Parts(scheme, authority, match.group(3) or "/", match.group(4) or "", match.group(5) or "")


@lru_cache(maxsize=4096)
def _authority(raw: str, default_port: str) -> str | None:
    """Host and port as they are compared, without credentials; None where a browser would not connect."""
    raw = raw.rpartition("@")[2]
    match = _BRACKETED.fullmatch(raw)
    if match:
        name, port = _ipv6(match.group(1)), match.group(2) or ""
    else:
        name, _, port = raw.partition(":")
        name = _host_name(name)
    if not name or (port and not (port.isascii() and port.isdigit() and 0 < int(port) <= _MAX_PORT)):
        return None
    port = port.lstrip("0")
    return name if port in ("", default_port) else f"{name}:{port}"


def _ipv6(address: str) -> str:
    try:
        return f"[{IPv6Address(address).compressed}]"
    except AddressValueError:
        return ""


def _host_name(name: str) -> str:
    """`name` in lower case and ASCII (RFC 5891, with the mapping of UTS 46 that NFKC gives); empty if it is none."""
    if len(name) > _MAX_HOST:
        return ""
    if not name.isascii():
        mapped = unicodedata.normalize("NFKC", name.lower())
        name = ".".join(map(_ascii_label, _DOTS.split(mapped)))
    name = name.lower().removesuffix(".")
    return name if _HOST.fullmatch(name) else ""


def _ascii_label(label: str) -> str:
    if label.isascii():
        return label
    # A character that cannot be seen makes two names that look like one; "" is no label, so the name is refused.
    return "xn--" + label.encode("punycode").decode("ascii") if label.isprintable() else ""


def _without_dots(path: str) -> str:
    """RFC 3986, section 5.2.4."""
    if "/." not in path:
        return path
    segments = path.split("/")[1:]
    kept: list[str] = []
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)


def _legal(part: str) -> str:
    """A query or fragment in ASCII; a mark with nothing after it is left out."""
    return part[0] + _ILLEGAL.sub(_encoded, part[1:]) if len(part) > 1 else ""


def _encoded(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match.group().encode("utf-8", "replace"))
