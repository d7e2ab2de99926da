"""Values with a meaning outside of YAML: addresses, header fields, languages, time zones, terms, patterns, passwords.

The readers are like those of `scalars`: a value and the context in, the value or a `BadValueError` out.
"""

from __future__ import annotations

import functools
import ipaddress
import re
import unicodedata
import zoneinfo
from ipaddress import IPv4Network, IPv6Network
from typing import Any
from urllib.parse import SplitResult, urlsplit

import re2

from aggregator import models
from aggregator.config.scalars import BadValueError, Context, Plain, choice, nearest, not_a, scalar, shown, text, typed

SITE_LANGUAGES = ("zh-Hans", "zh-Hant", "en")
FIELDS = ("title", "text", "url", "author", "source", "language")
# Header fields that the fetcher sets itself; two of one name, or a wrong one, would break the request.
FETCHERS_HEADERS = (
    "accept-encoding",
    "connection",
    "content-length",
    "host",
    "if-modified-since",
    "if-none-match",
    "transfer-encoding",
)
TERM = r"[a-z0-9][a-z0-9-]{0,63}"
HEADER_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # token of RFC 9110, section 5.6.2
LANGUAGE = (
    r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*"  # the shape of RFC 5646, section 2.1, without private and grandfathered
)

_HOST_LABEL = re.compile(r"[^\W_](?:[\w-]{0,61}[^\W_])?|_[\w-]{0,62}")
_MAX_PATTERN_MEMORY = 8 * 2**20  # bytes; RE2's own default
_MAX_SECRET_FILE = 64 * 1024
_WIDER_LANGUAGES = {"zh": "zh-Hans", "zh-cn": "zh-Hans", "zh-sg": "zh-Hans", "zh-tw": "zh-Hant", "zh-hk": "zh-Hant"}


def url(value: object, context: Context) -> str:
    """An absolute http or https address. Messages do not show it: it may hold a secret."""
    address = scalar(value, context)
    parts = _split(address)
    if parts.scheme not in ("http", "https"):
        raise BadValueError("is not a web address", "it begins with http:// or https://")
    if parts.username is not None or parts.password is not None:
        raise BadValueError("holds a user name or password", "give them with the keys username and password")
    if not is_host(parts.hostname or ""):
        raise BadValueError("has no valid host", "write it as https://host/path")
    return address


def _split(address: str) -> SplitResult:
    if re.search(r"\s", address):
        raise BadValueError("holds a blank", "write %20 for a blank that belongs to the address")
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        raise BadValueError("is not a web address", "look at the brackets and the port") from None
    return parts


def base_url(value: object, context: Context) -> str:
    """An address to which paths are added: no query, no fragment, no slash at the end; or nothing."""
    if value == "":
        return ""
    address = url(value, context)
    if "?" in address or "#" in address:
        raise BadValueError("has a query or fragment", "write only https://host or https://host/path")
    return address.rstrip("/")


def is_host(name: str) -> bool:
    """Whether `name` is an IP address, or has the shape of a host name (in any script)."""
    labels = name.removesuffix(".").split(".")
    if len(name) <= 253 and not labels[-1].isdecimal() and all(map(_HOST_LABEL.fullmatch, labels)):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def host(value: object, context: Context) -> str:
    """A host name or IP address without port, in lower case."""
    name = scalar(value, context)
    if not is_host(name):
        raise not_a("a host name", value, "write only the name, such as feeds.example.com")
    return name.lower()


def listen(value: object, context: Context) -> tuple[str, int]:
    """The host and port of `host:port` or `[IPv6]:port`. Port 0 lets the system choose one."""
    found = re.fullmatch(r"(?:\[([0-9A-Fa-f:.%\w]+)\]|([^:\[\]]+)):([0-9]{1,5})", scalar(value, context))
    if not found or int(found[3]) > 65_535 or not is_host(found[1] or found[2]):
        raise not_a("host:port", value, "write it as 127.0.0.1:8080, 0.0.0.0:8080 or '[::1]:8080'")
    return found[1] or found[2], int(found[3])


def listen_text(value: tuple[str, int]) -> str:
    """The way a host and port are written."""
    name, port = value
    return f"[{name}]:{port}" if ":" in name else f"{name}:{port}"


def network(value: object, context: Context) -> IPv4Network | IPv6Network:
    """An IP network in CIDR notation, or a single address."""
    notation = scalar(value, context)
    try:
        return ipaddress.ip_network(notation)
    except ValueError:
        raise not_a("a network", value, _network_hint(typed(value))) from None


def _network_hint(notation: str) -> str:
    try:
        return f"did you mean {ipaddress.ip_network(notation, strict=False)}?"
    except ValueError:
        return "write it as 10.0.0.0/8 or fd00::/8"


def header_name(value: object, context: Context) -> str:
    """The name of a request header field that the fetcher does not set itself."""
    name = scalar(value, context)
    if not re.fullmatch(HEADER_NAME, name):
        raise not_a("a header name", value, "write it as X-Api-Key")
    if name.lower() in FETCHERS_HEADERS:
        raise BadValueError(f"{shown(value)} is set by the aggregator itself", "remove it")
    return name


def language(value: object, context: Context) -> str:
    """A language tag by its shape."""
    tag = text(value, context)
    if not re.fullmatch(LANGUAGE, tag):
        raise not_a("a language tag", value, "write it as zh-Hans, zh-Hant, zh-TW or en, with hyphens, as in BCP 47")
    return tag


def site_language(value: object, context: Context) -> str:
    """One of the languages that labels exist in."""
    tag = text(value, context)
    if meant := _WIDER_LANGUAGES.get(tag.replace("_", "-").lower()):
        raise not_a("a language of the site", value, f"did you mean {meant}?")
    return choice(value, context, among=SITE_LANGUAGES)


def timezone(value: object, context: Context) -> str:
    """The name of a time zone of the IANA database."""
    name = scalar(value, context)
    if not _is_zone(name):
        meant = nearest(typed(value), _all_zones())
        raise not_a("a time zone", value, f"did you mean {meant}?" if meant else "write it as Asia/Shanghai or UTC")
    return name


def _is_zone(name: str) -> bool:
    try:
        zoneinfo.ZoneInfo(name)
    except (OSError, ValueError, zoneinfo.ZoneInfoNotFoundError):
        return False
    return True


@functools.cache
def _all_zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def term(value: object, context: Context) -> str:
    """A term that a category may take."""
    name = text(value, context)
    if not re.fullmatch(TERM, name):
        raise not_a("a term", value, "lower-case letters a-z, digits and hyphens, at most 64")
    if name in models.RESERVED_TERMS:
        raise BadValueError(
            f"{shown(value)} is reserved", f"the aggregator uses {', '.join(models.RESERVED_TERMS)} itself"
        )
    return name


def title(value: object, context: Context) -> str:
    """A name that people read, without blanks at its ends."""
    name = text(value, context)
    if name != name.strip():
        raise BadValueError("begins or ends with a blank", "remove it")
    return name


def label(value: object, context: Context) -> str:
    """The label of a category, which also is an address: `/feeds/科技.atom`."""
    name = unicodedata.normalize("NFC", title(value, context))  # as readers ask for it
    if "/" in name or "\\" in name or name.startswith("."):
        raise BadValueError(
            f"{shown(value)} cannot be a label", "labels give addresses: no slashes, no dot at the start"
        )
    return name


def word(value: object, context: Context) -> str:
    """A word or phrase of a rule, or between slashes a pattern that RE2 reads."""
    item = title(value, context)
    if item[0] != "/" and (comma := next((sign for sign in "，、" if sign in item), "")):
        raise BadValueError(
            f"{shown(value)} is one word, since {comma} parts nothing",
            f"write a comma and a blank between words; in a phrase leave the {comma} out, it makes no difference",
        )
    if len(item) > 1 and item.startswith("/") and item.endswith("/"):
        _check_pattern(item[1:-1], as_typed=isinstance(value, Plain) or value == item)
    elif re.fullmatch(r"/.+/i", item):
        raise BadValueError(f"{shown(value)} has a letter after the pattern", "to ignore case write /(?i)…/")
    return item


def _check_pattern(pattern: str, *, as_typed: bool) -> None:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MAX_PATTERN_MEMORY
    try:
        compiled: Any = re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0] if as_typed and error.args else "it is not valid"
        reason = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else reason
        raise BadValueError(f"RE2 cannot read the pattern: {reason}", "the syntax is RE2's: no look-around") from None
    if compiled.search(""):
        raise BadValueError("the pattern hits every text, also an empty one", "ask for at least one character")


def secret(value: object, context: Context) -> str:
    """A password. No message shows it."""
    if isinstance(value, Plain) and value.kind not in ("number", "blank"):
        raise BadValueError("must stand in quotes", "YAML takes it for something else than text")
    result = scalar(value, context)
    if not result:
        raise BadValueError("is empty", "write one, or remove the key")
    return result


def header_value(value: object, context: Context) -> str:
    """The value of a request header field. No message shows it."""
    result = secret(value, context)
    if result != result.strip():
        raise BadValueError("begins or ends with a blank", "remove it")
    return result


def secret_file(value: object, context: Context) -> str:
    """The password that is the first line of a file; a relative path counts from the configuration's folder."""
    path = context.folder / scalar(value, context)
    try:
        with path.open("rb") as file:
            first = file.readline(_MAX_SECRET_FILE).decode("utf-8-sig").rstrip("\r\n")
    except OSError as error:
        raise BadValueError(
            f"{shown(value)} cannot be read: {error.strerror}", "look at its path and permissions"
        ) from None
    except ValueError:
        raise BadValueError(f"{shown(value)} cannot be read: it is not UTF-8 text") from None
    if not first or re.search("[\x00-\x1f\x7f]", first):
        raise BadValueError(
            f"the first line of {shown(value)} is no password", "the password alone stands in the first line"
        )
    return first


def path(value: object, context: Context) -> str:
    """The path of a file or folder."""
    name = text(value, context)
    if name.startswith("~"):
        raise BadValueError(f"{shown(value)} would be a folder called ~", "write ${HOME}/…")
    return name
