"""Where the entries of a document are, to the byte; and that it is not said where that is not certain."""

from __future__ import annotations

import gc
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from aggregator.errors import ParseError
from aggregator.parse import cut, decoding, repair

ATOM = "http://www.w3.org/2005/Atom"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"


def entries(document: str) -> list[str] | None:
    """The text of each entry, or None where there is no cut."""
    body = document.encode()
    found = cut.cut(body)
    return None if found is None else [body[start:end].decode() for start, end in found.spans]


def hashes(document: str, version: bytes = b"1") -> list[bytes]:
    body = document.encode()
    found = cut.cut(body)
    assert found
    return cut.hashes(body, found, version)


def rss(inner: str, attributes: str = "") -> str:
    return f"<rss {attributes}><channel><title>源</title>{inner}</channel></rss>"


FORMATS = {
    "rss": ("<rss><channel><link/>", "</channel></rss>", "item"),
    "rss in a namespace": ("<rss xmlns='http://backend.userland.com/rss2'><channel>", "</channel></rss>", "item"),
    "rss 1.0": (f"<r:RDF xmlns:r='{RDF}' xmlns='http://purl.org/rss/1.0/'><channel/>", "</r:RDF>", "item"),
    "rss 0.9": (f"<r:RDF xmlns:r='{RDF}' xmlns='http://my.netscape.com/rdf/simple/0.9/'>", "</r:RDF>", "item"),
    "prefixed rss 1.0": (f"<RDF xmlns='{RDF}' xmlns:s='http://purl.org/rss/1.0/'>", "</RDF>", "s:item"),
    "atom": (f"<feed xmlns='{ATOM}'><author><name>x</name></author>", "</feed>", "entry"),
    "atom 0.3": ("<feed xmlns='http://purl.org/atom/ns#'>", "</feed>", "entry"),
    "prefixed atom": (f"<a:feed xmlns:a='{ATOM}'>", "</a:feed>", "a:entry"),
    "bare atom": ("<feed>", "</feed>", "entry"),
}


@pytest.mark.parametrize(("head", "foot", "name"), FORMATS.values(), ids=FORMATS)
def test_entries_of_every_format_are_found(head: str, foot: str, name: str) -> None:
    shapes = ["<{} x='>'>一</{} >", "<{}/>", "<{} y='/>'/>", "<{}></{}>", "<{}><b/></{}\n>"]
    listed = [shape.format(name, name) for shape in shapes]
    assert entries(f"{head}{''.join(listed)}{foot}") == listed
    assert entries(f"{head}{' '.join(listed)} <x/>{foot}") == listed
    assert entries(f"{head}{listed[1]}{foot}") == [listed[1]]
    assert entries(f"{head}{foot}") == []


def test_a_self_closing_entry_ends_before_what_follows_it() -> None:
    assert entries("<i:rss xmlns:i='u'><i:channel><i:item/></i:channel></i:rss>") == ["<i:item/>"]
    assert entries("<rss xmlns:item='u'><item:channel><item:item a='1'/></item:channel></rss>") == [
        "<item:item a='1'/>"
    ]


def test_what_only_looks_like_an_entry_is_none() -> None:
    item = "<item><!-- </item> --><![CDATA[</item>]]>&lt;item><items/><a b='&lt;/item>'/></item>"
    assert entries(rss(f"<!-- <item> --><x><![CDATA[<item>]]></x>{item}<!-- </item> -->")) == [item]


def test_an_element_of_that_name_and_another_prefix_within_an_entry_belongs_to_it() -> None:
    entry = "<entry><source><title>t</title></source><m:entry xmlns:m='urn:m'/></entry>"
    assert entries(f"<feed xmlns='{ATOM}'>{entry}<entry a='/>'/></feed>") == [entry, "<entry a='/>'/>"]


@pytest.mark.parametrize(
    "document",
    [
        "",
        "not xml",
        "<rss><channel><item>",
        "<rss><channel><item>&nbsp;</item></channel></rss>",
        "<rss><channel><item><x:y/></item></channel></rss>",
        "<!DOCTYPE rss [<!ENTITY a 'b'>]><rss><channel><item>&a;</item></channel></rss>",
        "<rss><channel><item><item/></item></channel></rss>",
        "<rss><channel><div><item/></div></channel></rss>",
        "<rss><channel/><item/></rss>",
        "<rss><channel><item/></channel><channel><item/></channel></rss>",
        "<rss><channel><Item/></channel></rss>",
        "<rss><channel><m:item xmlns:m='urn:m'/></channel></rss>",
        f"<feed xmlns='{ATOM}'><entry xmlns='urn:other'/></feed>",
        "<channel><item/></channel>",
        "<html><item/></html>",
        "<rss><channel><item><a><item></item></a></item></channel></rss>",
        "<rss><channel><item><a><item/></a></item></channel></rss>",
        "<rss><channel><item><![CDATA[<item>]]></item></channel></rss>",
        f"<feed xmlns='{ATOM}'><entry><a:entry xmlns:a='{ATOM}'></a:entry></entry></feed>",
        f"<feed xmlns='{ATOM}'><entry><a:entry xmlns:a='{ATOM}'/></entry></feed>",
        f"<feed xmlns='{ATOM}'><entry><div xmlns='http://www.w3.org/1999/xhtml'><entry>x</entry></div></entry></feed>",
    ],
)
def test_what_is_not_certain_is_not_cut(document: str) -> None:
    assert entries(document) is None


def test_other_encodings_are_not_cut_in_the_wrong_places() -> None:
    assert cut.cut(rss("<item/>").encode("utf-16")) is None
    assert cut.cut(rss("<item>题</item>").encode("gb18030")) is None


# ---------------------------------------------------------------------------------------------- hashes


def test_a_hash_changes_with_its_entry_only() -> None:
    before = hashes(rss("<lastBuildDate>1</lastBuildDate><item>一</item><item>二</item>", "version='2.0'"))
    after = hashes(rss("<lastBuildDate>2</lastBuildDate> <item>一</item> <item>三</item>", "version='2.0'"))
    assert [len(digest) for digest in before] == [8, 8]
    assert before[0] == after[0]
    assert before[1] != after[1]


@pytest.mark.parametrize("attributes", ["xml:base='http://e.org/'", "xml:lang='zh'", "xmlns:m='u'", "xmlns='u'"])
def test_what_entries_inherit_is_in_their_hashes(attributes: str) -> None:
    assert hashes(rss("<item>一</item>", attributes)) != hashes(rss("<item>一</item>"))


def test_what_another_element_declares_is_not_inherited() -> None:
    sibling = "<x xmlns:m='u' xml:lang='zh'/>"
    item = "<item>一</item>"
    assert hashes(rss(sibling + item)) == hashes(rss(item))
    assert hashes(rss(f"{item}<item><y xmlns:m='u'/></item>"))[0] == hashes(rss(item))[0]


def test_a_new_version_changes_every_hash() -> None:
    document = rss("<item>一</item><item>二</item>")
    assert not set(hashes(document, b"1")) & set(hashes(document, b"2"))


# ---------------------------------------------------------------------------------------------- small documents


def test_a_small_document_has_only_the_kept_entries() -> None:
    body = rss("<item>0</item>\n<!-- a --><item>1</item><x/><item>2</item>").encode()
    found = cut.cut(body)
    assert found
    assert cut.small(body, found, [1]).decode() == rss("\n<!-- a --><item>1</item><x/>")
    assert cut.small(body, found, []).decode() == rss("\n<!-- a --><x/>")
    assert cut.small(body, found, {0, 1, 2}) == body


NAMES = st.sampled_from(["a", "b", "m:c", "content", "source", "title"])
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=8)
ESCAPED = TEXTS.map(lambda text: text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))
LEAVES = st.one_of(
    ESCAPED,
    st.sampled_from(["<![CDATA[</item>]]>", "<!-- </entry> -->", "<?p </item>?>", "&#62;", " \n", "<a b='>/>'/>"]),
)
CONTENT = st.recursive(
    LEAVES,
    lambda inner: st.tuples(NAMES, st.lists(inner, max_size=3)).map(lambda of: f"<{of[0]}>{''.join(of[1])}</{of[0]}>"),
    max_leaves=6,
)


@given(st.sampled_from(list(FORMATS.values())), st.lists(st.tuples(CONTENT, CONTENT), max_size=5), CONTENT)
def test_each_entry_alone_is_what_it_is_in_the_whole(
    shape: tuple[str, str, str], written: list[tuple[str, str]], other: str
) -> None:
    head, foot, name = shape
    inner = "".join(f"<{name} q='>'>{content}</{name} >{between}" for content, between in written)
    body = f"{head}{other}{inner}{foot}".replace(">", " xmlns:m='urn:m'>", 1).encode()
    found = cut.cut(body)
    assert found
    whole = canonical(body)
    assert len(whole) == len(found.spans)
    for number, entry in enumerate(whole):
        assert canonical(cut.small(body, found, {number})) == [entry]


def canonical(document: bytes) -> list[bytes]:
    """The canonical XML of each entry that a whole parse finds, with what it inherits."""
    here = "*[local-name()='item' or local-name()='entry']"
    found = etree.fromstring(document).xpath(f"/*/*[local-name()='channel']/{here}|/*/{here}")
    return [etree.tostring(entry, method="c14n", with_tail=False) for entry in found]


@given(st.binary(max_size=200))
def test_any_bytes_are_cut_or_not(body: bytes) -> None:
    assert cut.cut(body) is None


# ---------------------------------------------------------------------------------------------- costs


def test_a_cut_keeps_nothing_alive() -> None:
    body = rss("<item/>" * 10).encode()
    gc.collect()
    gc.disable()
    try:
        assert cut.cut(body)
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_a_huge_or_deep_document_takes_linear_time() -> None:
    started = time.process_time()
    assert len(entries(rss("<item><title>题</title></item>" * 50_000)) or ()) == 50_000
    assert entries(rss("<item>" + "<a>" * 100_000 + "</a>" * 100_000 + "</item>"))
    assert time.process_time() - started < 3


def test_every_feed_of_the_corpus_is_cut_as_a_whole_parse_would(corpus: Path) -> None:
    counted = [counts(path) for path in sorted((corpus / "feeds" / "real").rglob("*.xml"))]
    assert counted
    assert [found for found in counted if found and found[0] != found[1]] == []
    assert sum(found is not None for found in counted) >= 0.98 * len(counted)


def counts(path: Path) -> tuple[int, int] | None:
    """How many entries the cut and a whole parse find; None where there is no cut."""
    try:
        body = repair.wellformed(repair.clean(decoding.decode(path.read_bytes(), None).text))[0].encode()
    except ParseError:
        return None
    found = cut.cut(body)
    return (len(found.spans), len(canonical(body))) if found else None
