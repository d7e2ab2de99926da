"""Bodies that are more than they seem."""

from __future__ import annotations

import gzip
import zlib

import brotli
import zstandard

from tests.instance import item, rss
from tests.rawserver import Step, reply
from tests.rig.stage import MAX_BODY, Host, Story, case

BOMB = b"<rss>" + b" " * (20 * MAX_BODY)


def coded(coding: str, body: bytes) -> list[Step]:
    return [reply(fields={"Content-Encoding": coding}, body=body)]


@case(["gzip", "br", "zstd", "deflate", "stacked", "undeclared", "members", "plain", "endless"], every="30d")
def no_body_is_larger_than_the_limit_however_it_is_packed(host: Host) -> Story:
    once = gzip.compress(BOMB)
    seen = yield {
        "/gzip": coded("gzip", once),
        "/br": coded("br", brotli.compress(BOMB, quality=1)),
        "/zstd": coded("zstd", zstandard.compress(BOMB)),
        "/deflate": coded("deflate", zlib.compress(BOMB)),
        "/stacked": coded("gzip, br, gzip", gzip.compress(brotli.compress(once))),
        "/undeclared": [reply(body=once)],
        "/members": coded("gzip", gzip.compress(b" " * 100_000) * 100),
        "/plain": [reply(body=b" " * (MAX_BODY + 1))],
        "/endless": [b"HTTP/1.1 200 OK\r\n\r\n", *([b" " * MAX_BODY] * 100)],
    }
    assert all("fetch.max_body" in row["reason"] for row in seen.rows), [row["reason"] for row in seen.rows]


@case(["gzip", "br", "zstd", "deflate", "twice"])
def each_coding_is_undone(host: Host) -> Story:
    body = rss(item(1)).encode()
    seen = yield {
        "/gzip": coded("gzip", gzip.compress(body)),
        "/br": coded("br", brotli.compress(body)),
        "/zstd": coded("zstd", zstandard.compress(body)),
        "/deflate": coded("deflate", zlib.compress(body)),
        "/twice": coded("gzip, br", brotli.compress(gzip.compress(body))),
    }
    assert {row["status"] for row in seen.rows} == {"ok"}
    assert len(seen.entries) == 5


@case(["early", "wrong", "unknown", "layers"], every="30d")
def a_damaged_coding_is_a_failure(host: Host) -> Story:
    packed = gzip.compress(rss(item(1)).encode())
    seen = yield {
        "/early": coded("gzip", packed[:-20]),
        "/wrong": coded("br", b"\x00\x01\x02 nonsense"),
        "/unknown": coded("rot13", b"ebg13"),
        "/layers": coded(", ".join(["gzip"] * 50), packed),
    }
    assert [row["status"] for row in seen.rows] == ["failing"] * 4
