"""The list of published feeds as OPML 2.0 (opml.org/spec2.opml), for import into a feed reader."""

from __future__ import annotations

from collections.abc import Sequence

from lxml import etree


def opml(title: str, feeds: Sequence[tuple[str, str]]) -> bytes:
    """An OPML document of these feeds: label, address."""
    root = etree.Element("opml", version="2.0")
    etree.SubElement(etree.SubElement(root, "head"), "title").text = title
    body = etree.SubElement(root, "body")
    for label, address in feeds:
        etree.SubElement(body, "outline", text=label, title=label, type="rss", xmlUrl=address)
    return bytes(etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=True))
