"""The error tree. A class exists only where a caller acts differently on it.

AggregatorError
├── ConfigError          one or more problems in the YAML files, each with its place
├── SourceError          one source's poll failed; caught in one place, `pipeline`
│   ├── FetchError           carries `retry_after`
│   │   ├── NetworkError     no usable answer: DNS, connection, TLS, deadline
│   │   ├── StatusError      an answer with a failing status
│   │   └── RefusedError     we would not: address guard, scheme, redirects, size limit
│   └── ParseError       the answer is no feed that we can read
├── StoreError           the database cannot be written or read: full disk, lock held, damage
└── PublishError         the published files cannot be written

Expected outcomes (not modified, an empty feed, a duplicate) are values, not errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta


class AggregatorError(Exception):
    """The base of every error that this package raises on purpose. Its text is one sentence for a person."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a configuration file: where, what, and what to do about it."""

    file: str
    line: int
    column: int
    message: str
    hint: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{place}: {self.message}" + (f" ({self.hint})" if self.hint else "")


class ConfigError(AggregatorError):
    """The configuration cannot be used; `problems` names everything that is wrong, in file order."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class SourceError(AggregatorError):
    """One source's poll failed. Never concerns another source."""


class FetchError(SourceError):
    """The document could not be had.

    `retry_after` is what the server asked for (RFC 9110, section 10.2.3), as a duration from the answer, or None.
    """

    retry_after: timedelta | None = None


class NetworkError(FetchError):
    """No usable answer came: DNS, connection, TLS, a broken transfer, or the deadline."""


class StatusError(FetchError):
    """The server answered with a failing status. `is_elsewhere`: it is that of where a redirect led."""

    def __init__(self, message: str, status: int, is_elsewhere: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.is_elsewhere = is_elsewhere

    @property
    def is_gone(self) -> bool:
        """Whether the address itself says that it is gone for good (RFC 9110, section 15.5.11)."""
        return self.status == 410 and not self.is_elsewhere

    @property
    def is_busy(self) -> bool:
        """Whether nothing is wrong but that we came now (RFC 6585, section 4; RFC 9110, section 15.6.4)."""
        return self.status in (429, 503)

    def __reduce__(self) -> tuple[type[StatusError], tuple[str, int, bool], dict[str, object]]:
        return type(self), (str(self), self.status, self.is_elsewhere), self.__dict__


class RefusedError(FetchError):
    """We refused: a forbidden address, scheme or redirect, or a body over the limit."""


class ParseError(SourceError):
    """The bytes are no feed that we can read. `feeds` are feed addresses that an HTML page named instead."""

    def __init__(self, message: str, feeds: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.feeds = tuple(feeds)

    def __reduce__(self) -> tuple[type[ParseError], tuple[str, tuple[str, ...]]]:
        return type(self), (str(self), self.feeds)


class StoreError(AggregatorError):
    """The database cannot be used just now; the text says why and what helps."""


class PublishError(AggregatorError):
    """The published files cannot be written; the old ones are still in place."""
