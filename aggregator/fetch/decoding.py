"""Content codings (RFC 9110, section 8.4.1) undone by ourselves, because what comes out must have a limit."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence

import brotli
import zstandard

# Offered. deflate is undone where it comes, but not asked for: servers do not agree on what it is.
ACCEPTED = "gzip, br, zstd"

# Output of one step, in bytes: what the limit can be overshot by.
_PIECE = 256 * 1024

# Input of one step. A zstd block of 4 bytes can stand for 128 KiB, and its decoder takes no output limit.
_GZIP_STEP = 64 * 1024
_ZSTD_STEP = 256

# RFC 9659: the window that a sender may ask for.
_ZSTD_WINDOW = 8 * 1024 * 1024
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_GZIP_MAGIC = b"\x1f\x8b"

# Nobody means to compress more often, or in more parts, than this.
_MAX_LAYERS = 4
_MAX_MEMBERS = 1000

_LONGEST_TAIL = 256  # bytes behind the end of a brotli stream: a line break, or a comment that a server appends

# The start of what we hope for, XML or JSON, in any encoding.
_PLAIN = re.compile(rb"(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?[\s\x00]*[<{\[]")


class DamagedError(Exception):
    """The body is not what its Content-Encoding says, or ends early; the text ends the sentence "its body …"."""


class TooLargeError(Exception):
    """More bytes come out than the limit."""


def codings(fields: Sequence[str]) -> list[str]:
    """The codings that the Content-Encoding fields list, in the order in which they were applied."""
    names = (name.strip().lower() for name in ",".join(fields).split(","))
    return [name for name in names if name not in ("", "identity")]


def decode(body: bytes, applied: Sequence[str], limit: int) -> bytes:
    """The body without its codings, and without a gzip that nobody declared.

    Raises TooLargeError when it, or what is between two codings, is over `limit` bytes; DamagedError when it cannot
    be undone. A body that was declared as coded and visibly is not is taken as it came.
    """
    if len(applied) > _MAX_LAYERS:
        raise DamagedError("is compressed too many times over")
    for name in reversed(applied):
        body = _undo(name, body, limit)
    for _ in range(_MAX_LAYERS):
        if not body.startswith(_GZIP_MAGIC):
            break
        body = _collect(_gunzip(body), limit)
    if len(body) > limit:
        raise TooLargeError
    return body


def _undo(name: str, body: bytes, limit: int) -> bytes:
    decoder = _DECODERS.get(name)
    try:
        if decoder is None:
            raise DamagedError("has an unknown Content-Encoding")
        return _collect(decoder(body), limit) if body else body
    except DamagedError:
        misdeclared = decoder is not _gunzip and body.startswith(_GZIP_MAGIC)
        if misdeclared or _PLAIN.match(body):
            return body
        raise


def _collect(pieces: Iterator[bytes], limit: int) -> bytes:
    kept: list[bytes] = []
    total = 0
    try:
        for piece in pieces:
            total += len(piece)
            if total > limit:
                raise TooLargeError
            kept.append(piece)
    except (zlib.error, brotli.error, zstandard.ZstdError) as error:
        raise DamagedError("is not compressed as it says, or damaged") from error
    return b"".join(kept)


def _gunzip(data: bytes) -> Iterator[bytes]:
    """Every member of a gzip file (RFC 1952, section 2.2); what follows the last one is ignored."""
    rest = memoryview(data)
    for _ in range(_MAX_MEMBERS):
        rest = yield from _inflate(zlib.decompressobj(wbits=31), rest)
        if rest[:2] != _GZIP_MAGIC:
            return
    raise DamagedError("has too many parts")


def _undeflate(data: bytes) -> Iterator[bytes]:
    """deflate with the zlib header that RFC 9110 asks for, or without it, as many servers send it."""
    has_header = data[0] & 0x0F == 8 and int.from_bytes(data[:2], "big") % 31 == 0
    yield from _inflate(zlib.decompressobj(wbits=15 if has_header else -15), memoryview(data))


def _inflate(decoder: zlib._Decompress, data: memoryview) -> Generator[bytes, None, memoryview]:
    """The output of one stream at the start of `data`; returns what follows the stream."""
    for start in range(0, len(data), _GZIP_STEP):
        waiting: bytes | memoryview = data[start : start + _GZIP_STEP]
        while waiting and not decoder.eof:
            yield decoder.decompress(waiting, _PIECE)
            waiting = decoder.unconsumed_tail
        if decoder.eof:
            return data[min(start + _GZIP_STEP, len(data)) - len(decoder.unused_data) :]
    yield decoder.flush()
    if not decoder.eof:
        raise DamagedError("ends early")
    return data[len(data) :]


def _unbrotli(data: bytes) -> Iterator[bytes]:
    """The one stream (RFC 7932); a little that follows it is ignored, as it is behind the other codings."""
    given = 0
    try:
        for piece in _unbroken(data, 0):
            given += len(piece)
            yield piece
    except brotli.error:  # as where input goes on behind the stream's end
        for piece in _unbroken(data, _LONGEST_TAIL):
            yield piece[min(given, len(piece)) :]
            given -= min(given, len(piece))


def _unbroken(data: bytes, singly: int) -> Iterator[bytes]:
    """The output of a stream, given to its decoder at once but for the last bytes, which it gets one by one: it does
    not tell where a stream ended within what it was given.
    """
    decoder = brotli.Decompressor()
    start = max(len(data) - singly, 0)
    for waiting in (data[:start], *(data[at : at + 1] for at in range(start, len(data)))):
        rest = waiting
        while not decoder.is_finished() and (piece := decoder.process(rest, output_buffer_limit=_PIECE)):
            yield piece
            rest = b""
        if decoder.is_finished():
            return
    raise DamagedError("ends early")


def _unzstd(data: bytes) -> Iterator[bytes]:
    """Every frame (RFC 8878, section 3); what follows the last one is ignored."""
    factory = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
    rest = memoryview(data)
    for _ in range(_MAX_MEMBERS):
        rest = yield from _unframe(factory.decompressobj(), rest)
        if rest[:4] != _ZSTD_MAGIC:
            return
    raise DamagedError("has too many parts")


def _unframe(decoder: zstandard.ZstdDecompressionObj, data: memoryview) -> Generator[bytes, None, memoryview]:
    """The output of one frame at the start of `data`; returns what follows the frame."""
    for start in range(0, len(data), _ZSTD_STEP):
        end = min(start + _ZSTD_STEP, len(data))
        yield decoder.decompress(data[start:end])
        if decoder.eof:
            return data[end - len(decoder.unused_data) :]
    raise DamagedError("ends early")


_DECODERS: Mapping[str, Callable[[bytes], Iterator[bytes]]] = {
    "gzip": _gunzip,
    "x-gzip": _gunzip,
    "deflate": _undeflate,
    "br": _unbrotli,
    "zstd": _unzstd,
}
