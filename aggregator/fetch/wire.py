"""What aiohttp makes of a connection's bytes, where it is harder on servers, or easier, than we want it to be."""

from __future__ import annotations

import functools
import re
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler

# Answers that only announce the one that counts (RFC 9110, section 15.2). Real servers send one or two.
_MOST_INTERIM = 100

_NO_BODY = (204, 304)

# The end of a head, the last bytes of which may come alone.
_BLANK_LINES = re.compile(rb"(?:\n|\A)(?:\r?\n)+")


class Connector(aiohttp.TCPConnector):
    """Connections on which each answer is read by `_Handler`."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        # aiohttp has no setting for who reads a connection's bytes. (mypy: partial is invariant in what it makes.)
        self._factory = functools.partial(_Handler, loop=self._loop)  # type: ignore[assignment]


class _Handler(ResponseHandler):
    """Hands the head of an answer on before it looks at what follows: an answer that has no body stands, whatever comes
    after it (RFC 9112, section 6.3), and so does one with more bytes than its Content-Length. And of interim answers it
    takes so many, and no more.
    """

    _status = 0  # of the answer that counts, once its head is there
    _interim = 0

    def set_response_params(self, **settings: Any) -> None:
        self._status = self._interim = 0
        super().set_response_params(**settings)

    def feed_data(self, data: Any, size: int = 0) -> None:
        """A head has come, as aiohttp tells its queue."""
        status = data[0].code
        if 100 <= status < 200 and status != 101:
            self._interim += 1
        else:
            self._status = status
        super().feed_data(data, size)

    def data_received(self, data: bytes) -> None:
        read = 0
        while read < len(data) and not self._status and self._interim <= _MOST_INTERIM and self.exception() is None:
            blank = _BLANK_LINES.search(data, read)
            end = blank.end() if blank else len(data)
            super().data_received(data[read:end])
            read = end
        rest = data[read:]
        if self._interim > _MOST_INTERIM or (rest and self._status in _NO_BODY):
            self.close()
        elif self._status and (rest or not data):  # no data: aiohttp goes on with what it has kept
            super().data_received(rest)
