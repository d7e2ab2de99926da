"""Stories → Atom, RSS and JSON Feed; OPML and the pages; and their files, put in place atomically.

`render`, `page` and `opml` are pure and run in a worker; only `files` touches the disk. The package is the only
importer of feedgen. The same stories and settings give the same bytes.
"""

from aggregator.publish.files import put, remove_others
from aggregator.publish.opml import opml
from aggregator.publish.pages import LANGUAGES, label, pages
from aggregator.publish.render import SUFFIXES, Rendered, feed_id, render

__all__ = [
    "LANGUAGES",
    "SUFFIXES",
    "Rendered",
    "feed_id",
    "label",
    "opml",
    "pages",
    "put",
    "remove_others",
    "render",
]
