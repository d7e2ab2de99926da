"""One HTTP/1.1 exchange as bytes (RFC 9112), as far as a GET needs it: the request written, its answer read.

Lenient where servers are careless and the meaning is plain (RFC 9112, section 2.2), strict about where an answer ends:
half a document is never taken for one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field

from multidict import CIMultiDict

from aggregator.fetch import decoding

# Bytes. Real answers have less than 2 KiB of header fields; some content security policies alone have 10.
_MAX_LINE = 16 * 1024
_MAX_HEAD = 64 * 1024

# Answers that only announce the one that counts (RFC 9110, section 15.2). Real servers send one or two.
_MOST_INTERIM = 100

# Real servers send some of a hundred bytes or more.
_MOST_CHUNKS = 100_000

_SWITCHING_PROTOCOLS = 101
_NO_BODY = (204, 304)

# The answers whose body is asked for. That of any other one is thrown away.
DOCUMENTS = (200, 203)

_STATUS_LINE = re.compile(rb"HTTP/1\.(\d) +(\d{3})(?: [^\0\r\n]*)?")
_BLANK_LINE = re.compile(rb"\n\r?\n")
_FOLDED = re.compile(rb"\r?\n[ \t]+")
_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_IMPOSSIBLE = re.compile(rb"[\0\r]")
_LENGTH = re.compile(r"[0-9]{1,18}")
_CHUNK = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?")

_PLAIN_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,15})\r\n")

_UNSENDABLE = re.compile(r"[\0\r\n]")

Fields = CIMultiDict[str]

# A step of reading: it yields when it needs more bytes, or to know that no more will come.
_Step = Generator[None, None, None]


class BrokenAnswerError(Exception):
    """Not an answer, or not a whole one; the text ends the sentence "the host …"."""


class ClosedError(BrokenAnswerError):
    """The connection was closed before the answer was over. `has_begun`: what it means was known by then."""

    def __init__(self, text: str, has_begun: bool) -> None:
        super().__init__(text)
        self.has_begun = has_begun


@dataclass(slots=True)
class Answer:
    """What came. A field's value is its bytes as UTF-8, and those that are none surrogate-escaped. `body` is empty
    unless the status is among `DOCUMENTS`. `keeps_open`: the connection may be used for another exchange."""

    status: int
    fields: Fields
    body: bytes = field(default=b"", repr=False)
    keeps_open: bool = False


def request(host: str, target: str, fields: Mapping[str, str]) -> bytes:
    """A GET of the target at the host, with these fields after Host. Raises ValueError for what cannot be sent."""
    lines = [f"GET {target} HTTP/1.1", f"Host: {host}"]
    for name, value in fields.items():
        if not _TOKEN.fullmatch(name.encode()) or _UNSENDABLE.search(value):
            raise ValueError("a header field that cannot be sent")
        lines.append(f"{name}: {value}")
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape")


class Reader:
    """Reads one answer. Its methods raise BrokenAnswerError, and decoding.TooLargeError where a document is over
    `limit` bytes. `begun` is called with its header fields, whatever becomes of its body."""

    def __init__(self, limit: int, begun: Callable[[Fields], None] = lambda fields: None) -> None:
        self._limit = limit
        self._begun = begun
        self._waiting = bytearray()
        self._is_at_end = False
        self._answer: Answer | None = None
        self._steps = self._read()

    def feed(self, data: bytes) -> Answer | None:
        """The answer once it is whole."""
        self._waiting += data
        return self._go_on()

    def end(self) -> Answer:
        """The answer, where the end of the connection may be its end. Raises ClosedError where it may not."""
        self._is_at_end = True
        answer = self._go_on()
        if answer is None:
            raise self.closed()
        return answer

    def closed(self) -> ClosedError:
        """That the connection is gone before the answer was over."""
        if self._answer is not None:
            return ClosedError("broke off in the middle of the document", has_begun=True)
        return ClosedError("closed the connection without a whole answer", has_begun=False)

    def _go_on(self) -> Answer | None:
        # A generator that has returned yields nothing more: then the answer is whole.
        return None if next(self._steps, self) is None else self._answer

    def _read(self) -> _Step:
        minor, answer = yield from self._head()
        for _ in range(_MOST_INTERIM):
            if not 100 <= answer.status < 200 or answer.status == _SWITCHING_PROTOCOLS:
                break
            minor, answer = yield from self._head()
        else:
            raise BrokenAnswerError("announces an answer again and again")
        self._answer = answer
        self._begun(answer.fields)
        if answer.status in DOCUMENTS:
            yield from self._body(answer)
            is_over = True
        else:
            is_over = self._has_passed(answer)
        answer.keeps_open = is_over and not self._waiting and not self._is_at_end and _keeps_open(minor, answer.fields)

    def _head(self) -> Generator[None, None, tuple[int, Answer]]:
        searched = 0
        while not (blank := _BLANK_LINE.search(self._waiting, searched)):
            last_line = len(self._waiting) - self._waiting.rfind(b"\n")
            if len(self._waiting) > _MAX_HEAD or last_line > _MAX_LINE:
                raise _too_much()
            searched = max(0, len(self._waiting) - 2)
            yield
        head = bytes(self._waiting[: blank.start()])
        del self._waiting[: blank.end()]
        return _parsed(head)

    def _has_passed(self, answer: Answer) -> bool:
        """Whether all of a body that nobody wants is here already; it is not waited for."""
        if answer.status == _SWITCHING_PROTOCOLS:
            return False
        try:
            return answer.status in _NO_BODY or next(self._body(answer), self) is self
        except (BrokenAnswerError, decoding.TooLargeError):
            return False
        finally:
            answer.body = b""

    def _body(self, answer: Answer) -> _Step:
        """Read the body (RFC 9112, section 6.3)."""
        if _is_chunked(answer.fields):
            yield from self._chunks(answer)
            return
        length = _content_length(answer.fields)
        if length is None:
            yield from self._rest(answer)
            return
        if length > self._limit:
            raise decoding.TooLargeError
        while len(self._waiting) < length:
            yield
        answer.body = self._take(length)

    def _rest(self, answer: Answer) -> _Step:
        """Everything up to the end of the connection."""
        while not self._is_at_end:
            if len(self._waiting) > self._limit:
                raise decoding.TooLargeError
            yield
        answer.body = self._take(len(self._waiting))

    def _chunks(self, answer: Answer) -> _Step:
        """Chunks up to the last one, and its trailers (RFC 9112, section 7.1)."""
        body, chunks = bytearray(), 0
        while True:
            chunks += 1 + self._take_chunks(body)
            if chunks > _MOST_CHUNKS:
                raise BrokenAnswerError("sent its document in too many pieces")
            size = 0 if len(body) > self._limit else _chunk_size((yield from self._line()))
            if len(body) + size > self._limit:
                raise decoding.TooLargeError
            if not size:
                break
            while len(self._waiting) < size + 1:
                yield
            body += self._take(size)
            if (yield from self._line()):
                raise BrokenAnswerError("sent a chunk that is longer than it says")
        yield from self._trailers()
        answer.body = bytes(body)

    def _take_chunks(self, body: bytearray) -> int:
        """Move the chunks that are whole already at once, as there may be ten thousands of them; returns how many."""
        data, at, taken = bytes(self._waiting), 0, 0
        while found := _PLAIN_CHUNK.match(data, at):
            start = found.end()
            end = start + int(found[1], 16)
            if start == end or data[end : end + 2] != b"\r\n":
                break
            body += data[start:end]
            at, taken = end + 2, taken + 1
        del self._waiting[:at]
        return taken

    def _trailers(self) -> _Step:
        """What follows the last chunk means nothing to us; where the connection ends there, all was said."""
        read = 0
        while not self._is_at_end:
            if b"\n" not in self._waiting:
                yield
                continue
            trailer = yield from self._line()
            read += len(trailer)
            if not trailer:
                return
            if read > _MAX_HEAD:
                raise _too_much()

    def _line(self) -> Generator[None, None, bytes]:
        """The next line, without its end."""
        while (end := self._waiting.find(b"\n")) < 0:
            if len(self._waiting) > _MAX_LINE:
                raise _too_much()
            yield
        return self._take(end + 1).rstrip(b"\r\n")

    def _take(self, length: int) -> bytes:
        taken = bytes(self._waiting[:length])
        del self._waiting[:length]
        return taken


def _parsed(head: bytes) -> tuple[int, Answer]:
    """The minor version of HTTP, and the answer without its body."""
    if b"\n " in head or b"\n\t" in head:
        head = _FOLDED.sub(b" ", head)  # RFC 9112, section 5.2
    if len(head) > _MAX_HEAD:
        raise _too_much()
    first, *lines = head.split(b"\n")
    start = _STATUS_LINE.fullmatch(first.rstrip(b"\r"))
    if not start:
        raise BrokenAnswerError("does not answer in HTTP/1.1")
    return int(start[1]), Answer(int(start[2]), CIMultiDict(_field(line) for line in lines))


def _field(line: bytes) -> tuple[str, str]:
    """Name and value. White space before the colon is passed over, as proxies do (RFC 9112, section 5.1)."""
    if len(line) > _MAX_LINE:
        raise _too_much()
    name, colon, value = line.partition(b":")
    value = value.strip(b" \t\r")
    if not colon or _IMPOSSIBLE.search(value):
        raise BrokenAnswerError("sent a header field that is not valid HTTP")
    return name.rstrip(b" \t").decode("latin-1"), value.decode("utf-8", "surrogateescape")


def _too_much() -> BrokenAnswerError:
    return BrokenAnswerError(
        f"sent a header field of over {_MAX_LINE // 1024} KiB, or over {_MAX_HEAD // 1024} KiB of them"
    )


def _members(fields: Fields, name: str) -> list[str]:
    """The members of a field that is a list, in lower case (RFC 9110, section 5.6.1)."""
    values = fields.getall(name, ())
    return [member for value in ",".join(values).split(",") if (member := value.strip().lower())] if values else []


def _keeps_open(minor: int, fields: Fields) -> bool:
    """Whether the connection persists (RFC 9112, section 9.3), and the server left no doubt where the answer ends."""
    if "Transfer-Encoding" in fields and ("Content-Length" in fields or not minor):
        return False
    options = _members(fields, "Connection")
    return "close" not in options and (minor > 0 or "keep-alive" in options)


def _is_chunked(fields: Fields) -> bool:
    codings = [coding for coding in _members(fields, "Transfer-Encoding") if coding != "identity"]
    if codings not in ([], ["chunked"]):
        raise BrokenAnswerError("sent a Transfer-Encoding that was not asked for")
    return bool(codings)


def _content_length(fields: Fields) -> int | None:
    """In bytes, None where nothing says it. The same length said again is said once (RFC 9110, section 8.6)."""
    values = fields.getall("Content-Length", None)
    if values is None:
        return None
    said = {value.strip() for value in ",".join(values).split(",")}
    if len(said) > 1 or not _LENGTH.fullmatch(length := said.pop()):
        raise BrokenAnswerError("does not say in one number how long its document is")
    return int(length)


def _chunk_size(line: bytes) -> int:
    """In bytes; 0 is the last chunk."""
    found = _CHUNK.fullmatch(line)
    if not found:
        raise BrokenAnswerError("sent a chunk whose size cannot be read")
    return int(found[1], 16)
