"""`${NAME}` in an address: what it stands for there, and how an address is shown without it."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Mapping

VARIABLE = re.compile(r"\$(?P<escaped>\$\{)|\$\{(?P<name>[^{}]*)\}|\$\{")


def values(written: str | None, address: str) -> dict[str, str]:
    """By its name what each variable stands for, where `written` with all of them filled in is `address`."""
    pattern, at, names = "", 0, set[str]()
    for found in VARIABLE.finditer(written or ""):
        pattern += re.escape(found.string[at : found.start()])
        at, name = found.end(), found["name"]
        if not name:
            pattern += r"\$\{"
        else:
            pattern += f"(?P={name})" if name in names else f"(?P<{name}>.*)"
            names.add(name)
    filled = re.fullmatch(pattern + re.escape((written or "")[at:]), address, re.DOTALL) if names else None
    return filled.groupdict() if filled else {}


def hidden(text: str, known: Mapping[str, str]) -> str:
    """`text` with `${NAME}` wherever a value stands, percent-encoded or not; `filled` undoes it."""
    names = {form: name for name, value in known.items() for form in _forms(value) if form}
    if not names:
        return text
    longest_first = sorted(names, key=len, reverse=True)
    return re.sub(
        "|".join(map(re.escape, [*longest_first, "${"])),
        lambda found: f"${{{names[found[0]]}}}" if found[0] in names else "$${",
        text,
    )


def filled(text: str, known: Mapping[str, str]) -> str:
    """`text` with the value of each variable that is known in its place."""
    return VARIABLE.sub(lambda found: "${" if found["escaped"] else known.get(found["name"], found[0]), text)


def public(written: str) -> str:
    """An address as it is written, as one that may stand in a document: braces stand in none (RFC 3986, 2)."""
    return written.replace("{", "%7B").replace("}", "%7D")


def _forms(value: str) -> tuple[str, ...]:
    return value, urllib.parse.quote(value), urllib.parse.quote(value, safe=""), urllib.parse.unquote(value)
