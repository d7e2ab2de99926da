"""The publishers over HTTP, on loopback: feeds with validators, pages, and each publisher's manners."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from aiohttp import web

from aggregator.demo import documents
from aggregator.demo.newsroom import Article, Newsroom
from aggregator.demo.publishers import PUBLISHERS, Publisher, Quirk

SLOWNESS = 6.0  # seconds over which the slow publisher's document drips

_DRIPS = 6
_LISTED = 20  # articles in a feed and on a front page
_BY_KEY = {publisher.key: publisher for publisher in PUBLISHERS}


@asynccontextmanager
async def served(newsroom: Newsroom) -> AsyncIterator[str]:
    """Serve what the newsroom has written; the address under which all publishers are."""
    listening = socket.create_server(("127.0.0.1", 0))
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    runner = web.AppRunner(_Press(newsroom, address).application(), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.SockSite(runner, listening).start()
        yield address
    finally:
        await runner.cleanup()
        listening.close()


class _Press:
    def __init__(self, newsroom: Newsroom, address: str) -> None:
        self._newsroom = newsroom
        self._address = address

    def application(self) -> web.Application:
        application = web.Application()
        application.add_routes(
            [
                web.get("/{key}/", self._front_page),
                web.get("/{key}/feed", self._feed),
                web.get("/{key}/rss", self._old_feed),
                web.get(r"/{key}/{number:\d{1,12}}.html", self._page),
            ]
        )
        return application

    def _publisher(self, request: web.Request) -> Publisher:
        found = _BY_KEY.get(request.match_info["key"])
        if found is None:
            raise web.HTTPNotFound
        return found

    def _latest(self, publisher: Publisher) -> list[Article]:
        return list(itertools.islice(self._newsroom.shelves[publisher.key], _LISTED))

    async def _feed(self, request: web.Request) -> web.StreamResponse:
        publisher = self._publisher(request)
        body, media_type = documents.feed(publisher, self._latest(publisher), self._address)
        etag = hashlib.sha256(body).hexdigest()[:16]
        headers = {"Content-Type": media_type, "ETag": f'"{etag}"'}
        if any(tag.value == etag for tag in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        if publisher.quirk is Quirk.SLOW:
            return await _drip(request, headers, body)
        return web.Response(body=body, headers=headers)

    async def _old_feed(self, request: web.Request) -> web.StreamResponse:
        """The address that was the feed's: a publisher that moved redirects, another one has a page there now."""
        publisher = self._publisher(request)
        if publisher.quirk is Quirk.MOVED:
            raise web.HTTPMovedPermanently(publisher.feed)
        if publisher.quirk is Quirk.PAGE:
            return await self._front_page(request)
        raise web.HTTPNotFound

    async def _front_page(self, request: web.Request) -> web.StreamResponse:
        publisher = self._publisher(request)
        body = documents.front_page(publisher, self._latest(publisher)).encode()
        return web.Response(body=body, headers={"Content-Type": documents.HTML})

    async def _page(self, request: web.Request) -> web.StreamResponse:
        number = int(request.match_info["number"])
        for article in self._newsroom.shelves[self._publisher(request).key]:
            if article.number == number:
                return web.Response(body=documents.page(article).encode(), headers={"Content-Type": documents.HTML})
        raise web.HTTPNotFound


async def _drip(request: web.Request, headers: dict[str, str], body: bytes) -> web.StreamResponse:
    """The body in pieces, with a pause before each."""
    response = web.StreamResponse(headers=headers)
    response.content_length = len(body)
    size = -(-len(body) // _DRIPS)
    with suppress(ConnectionError):  # nobody waits for the rest
        await response.prepare(request)
        for start in range(0, len(body), size):
            await asyncio.sleep(SLOWNESS / _DRIPS)
            await response.write(body[start : start + size])
    return response
