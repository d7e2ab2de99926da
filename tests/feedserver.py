"""A real HTTP server on loopback that serves documents with validators, and remembers what it was asked."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import unquote


@dataclass
class Answer:
    """What a path answers. `hold` is an event that the answer waits for."""

    body: bytes
    content_type: str = "application/xml"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    hold: threading.Event | None = None


class FeedServer:
    """`server["/a.xml"] = "<rss>…"` serves it; `server.asked` lists path and headers of every request."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer._handle(self)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for answer in self.answers.values():
            if answer.hold is not None:
                answer.hold.set()
        self._server.shutdown()
        self._server.server_close()

    def __setitem__(self, path: str, said: str | bytes | Answer) -> None:
        if not isinstance(said, Answer):
            said = Answer(said.encode() if isinstance(said, str) else said)
        with self._lock:
            self.answers[path] = said

    def url(self, path: str) -> str:
        """The absolute address of a path."""
        return f"http://127.0.0.1:{self._server.server_port}{path}"

    def count(self, path: str) -> int:
        """How often a path was asked for."""
        with self._lock:
            return sum(asked == path for asked, _ in self.asked)

    def _handle(self, request: BaseHTTPRequestHandler) -> None:
        path = unquote(request.path)
        with self._lock:
            self.asked.append((path, dict(request.headers)))
            answer = self.answers.get(path)
        if answer is None:
            self._send(request, 404, {}, b"")
            return
        if answer.hold is not None:
            answer.hold.wait(60)
        etag = f'"{hashlib.sha256(answer.body).hexdigest()[:16]}"'
        if answer.status == 200 and request.headers.get("If-None-Match") == etag:
            self._send(request, 304, {"ETag": etag}, b"")
            return
        headers = {"Content-Type": answer.content_type, "ETag": etag, **answer.headers}
        self._send(request, answer.status, headers, answer.body)

    def _send(self, request: BaseHTTPRequestHandler, status: int, headers: dict[str, str], body: bytes) -> None:
        try:
            request.send_response(status)
            for name, value in headers.items():
                request.send_header(name, value)
            if status != 304:
                request.send_header("Content-Length", str(len(body)))
            request.end_headers()
            request.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            request.close_connection = True
