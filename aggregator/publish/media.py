"""The media type of an enclosure, which Atom, RSS and JSON Feed all want."""

from __future__ import annotations

from pathlib import PurePosixPath
from urllib.parse import urlsplit

from aggregator.models import Enclosure

# By the ends of addresses. Our own list: Python's differs between releases, and the same state gives the same bytes.
_TYPES = {
    ".avif": "image/avif",
    ".gif": "image/gif",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".m4a": "audio/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
    ".mp3": "audio/mpeg",
    ".mp4": "video/mp4",
    ".oga": "audio/ogg",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".wav": "audio/wav",
    ".webm": "video/webm",
    ".webp": "image/webp",
}


def media_type(enclosure: Enclosure) -> str:
    """What the publisher said if it is a media type (RFC 6838), else what the address ends in, else
    application/octet-stream. (Media RSS has a `medium` in its place, such as `image`.)
    """
    if "/" in enclosure.type:
        return enclosure.type
    suffix = PurePosixPath(urlsplit(enclosure.url).path).suffix
    return _TYPES.get(suffix.lower(), "application/octet-stream")
