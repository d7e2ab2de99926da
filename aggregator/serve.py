"""HTTP for readers and probes: what lies in the public folder, as it lies there, and the daemon's health.

Conditional requests as in RFC 9110, section 13: a strong ETag for each representation (plain, gzip), Last-Modified,
304.
"""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import formatdate, parsedate_to_datetime
from pathlib import Path
from urllib.parse import quote

from aiohttp import web

MEDIA_TYPES: Mapping[str, str] = {
    ".atom": "application/atom+xml; charset=utf-8",
    ".rss": "application/rss+xml; charset=utf-8",
    ".json": "application/feed+json; charset=utf-8",
    ".opml": "text/x-opml; charset=utf-8",
    ".html": "text/html; charset=utf-8",
}

_FRESH = 300  # seconds for which a reader or proxy need not ask again

_HEADERS: Mapping[str, str] = {
    "Cache-Control": f"public, max-age={_FRESH}",
    "Vary": "Accept-Encoding",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Access-Control-Allow-Origin": "*",
}

_PROBES = ("/healthz", "/readyz")

_PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'"


# Who asks for these may be a subscriber, and a reader seldom says what it would rather read: each in three languages.
_NOTHING_HERE = "这里没有这个文档。\n這裡沒有這個文件。\nThere is no such document here.\n"
_REMOVED = (
    "分类“{label}”已经取消；全部报道在 {other}\n"
    "分類「{label}」已經取消；全部報導在 {other}\n"
    "The category {label} was removed here; {other} has every story.\n"
)


@dataclass(frozen=True, slots=True)
class _Representation:
    stamp: tuple[int, int, int]
    body: bytes
    etag: str
    modified: str


class Site:
    """What is served. `labels` lead from a label, present or former, to its term, `removed` are terms that had a feed
    once; both follow a reload.
    """

    def __init__(self, public: Path, health: Callable[[], str], ready: Callable[[], bool]) -> None:
        self._public = public
        self._health = health
        self._ready = ready
        self._kept: dict[Path, _Representation] = {}
        self.labels: Mapping[str, str] = {}
        self.removed: Collection[str] = ()
        self.hosts: Collection[str] = ()

    def application(self) -> web.Application:
        """The aiohttp application."""
        application = web.Application(middlewares=[self._known_host])
        application.add_routes(
            [
                web.get("/healthz", self._healthz),
                web.get("/readyz", self._readyz),
                web.get("/feeds/{name}", self._feed),
                web.get("/{name:[^/]*}", self._page),
                web.get("/{rest:.*}", self._nothing),
            ]
        )
        return application

    @web.middleware
    async def _known_host(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Refuse names that are not ours (site.hosts), so that no foreign page can speak for this site (DNS
        rebinding).
        """
        name = request.host.rsplit(":", 1)[0].lower()
        is_probe = request.path in _PROBES  # by an address, most often; they tell nothing that is worth guarding
        if self.hosts and name not in self.hosts and not is_probe:
            raise web.HTTPMisdirectedRequest(text="this host is not served here; see site.hosts\n")
        return await handler(request)

    async def _healthz(self, _request: web.Request) -> web.Response:
        trouble = self._health()
        return web.Response(
            text=f"{trouble or 'ok'}\n", status=503 if trouble else 200, headers={"Cache-Control": "no-store"}
        )

    async def _readyz(self, _request: web.Request) -> web.Response:
        ready = self._ready()
        return web.Response(
            text="ready\n" if ready else "starting\n",
            status=200 if ready else 503,
            headers={"Cache-Control": "no-store"},
        )

    async def _page(self, request: web.Request) -> web.StreamResponse:
        return self._document(request, request.match_info["name"] or "index.html")

    async def _feed(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        stem, dot, suffix = name.rpartition(".")
        term = self.labels.get(stem, stem)
        if term in self.removed and f"{dot}{suffix}" in MEDIA_TYPES:
            raise web.HTTPGone(text=_REMOVED.format(label=stem, other=f"/feeds/all.{suffix}"))
        if term != stem:
            raise web.HTTPPermanentRedirect(f"/feeds/{quote(term)}{dot}{suffix}")
        return self._document(request, f"feeds/{name}")

    async def _nothing(self, _request: web.Request) -> web.StreamResponse:
        raise web.HTTPNotFound(text=_NOTHING_HERE)

    def _document(self, request: web.Request, name: str) -> web.StreamResponse:
        media_type = MEDIA_TYPES.get(Path(name).suffix)
        if media_type is None or name.startswith(".") or "/." in name or "\\" in name or "\0" in name:
            raise web.HTTPNotFound(text=_NOTHING_HERE)
        zipped = _accepts_gzip(request.headers.get("Accept-Encoding", ""))
        found = self._representation(self._public / (f"{name}.gz" if zipped else name))
        if found is None:
            raise web.HTTPNotFound(text=_NOTHING_HERE)
        headers = {**_HEADERS, "ETag": found.etag, "Last-Modified": found.modified}
        if _unchanged(request, found):
            return web.Response(status=304, headers=headers)
        headers["Content-Type"] = media_type
        if zipped:
            headers["Content-Encoding"] = "gzip"
        if media_type.startswith("text/html"):
            headers["Content-Security-Policy"] = _PAGE_POLICY
        return web.Response(body=found.body, headers=headers)

    def _representation(self, path: Path) -> _Representation | None:
        """The file as it is now; read again only when it was replaced."""
        try:
            status = path.stat()
            if not stat.S_ISREG(status.st_mode):
                return None
            stamp = (status.st_ino, status.st_mtime_ns, status.st_size)
            kept = self._kept.get(path)
            if kept is None or kept.stamp != stamp:
                body = path.read_bytes()
                etag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
                kept = _Representation(stamp, body, etag, formatdate(int(status.st_mtime), usegmt=True))
                self._kept[path] = kept
        except (OSError, ValueError):
            return None
        return kept


def _accepts_gzip(accepted: str) -> bool:
    """Whether gzip is acceptable (RFC 9110, section 12.5.3)."""
    weights = {}
    for part in accepted.lower().split(","):
        coding, _, parameters = part.strip().partition(";")
        weight = parameters.replace(" ", "").removeprefix("q=")
        weights[coding.strip()] = not weight or weight.strip("0.") != ""
    return weights.get("gzip", weights.get("x-gzip", weights.get("*", False)))


def _unchanged(request: web.Request, found: _Representation) -> bool:
    """Whether the request's conditions say that the client has this representation; If-None-Match comes first."""
    if tags := request.headers.getall("If-None-Match", ()):
        given = [tag.strip().removeprefix("W/") for tag in ",".join(tags).split(",")]
        return "*" in given or found.etag in given
    if (since := request.headers.get("If-Modified-Since")) is None:
        return False
    try:
        return parsedate_to_datetime(found.modified) <= _utc(parsedate_to_datetime(since))
    except (TypeError, ValueError, OverflowError):
        return False


def _utc(moment: datetime) -> datetime:
    """The moment of an HTTP-date: asctime names no zone, and means GMT (RFC 9110, section 5.6.7)."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
