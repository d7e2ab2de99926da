"""Subscription lists read and written, sources.yaml added to, and what a reading of a source shows."""

from __future__ import annotations

import math
import re
import string
import threading
import time
import xml.etree.ElementTree as ElementTree
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator import config, errors, prepare, text
from aggregator.models import Category, Config, Filing, Head, ParsedFeed, Settings, Source
from aggregator.subscriptions import intake, listing, opml, probe
from tests.builders import DAY, HOUR, NOW, prepared

CATEGORIES = [
    Category("tech", "科技", {"zh-Hant": "科技", "en": "Technology"}),
    Category("ai", "人工智能", {"zh-Hant": "人工智慧"}, parent="tech"),
]
TERMS = intake.folders(CATEGORIES)

NAMES = st.text(st.characters(codec="utf-8"), min_size=1).filter(lambda name: text.one_line(name) == name)
AWKWARD = [
    *("no", "on", "null", "~", "12:30", "010", "1e3", "2026-11-22", "true", "360", "0x1F", "y", "<<", "="),
    *("科技：新闻", "a: b", "a:", ":a", "a #b", "#b", "- a", "-", "? a", "!a", "&a", "*a", "@a", "`a", "%a", "|", ">"),
    *(
        "it's",
        "'a'",
        '"a"',
        "a\\n",
        "[a]",
        "{a: b}",
        "a, b",
        "${HOME}",
        "$${HOME}",
        "a${",
        "${}",
        "name： b",
        "\uff0d a",
    ),
    *("36氪", "Arthur's “Review”", "a\u3000b", "e\u0301", "\U0001f600", "\u200bx", "\ufb01"),
]
URLS = st.builds(
    "https://{}.example/{}".format,
    st.text(string.ascii_lowercase, min_size=1, max_size=9),
    st.text(string.ascii_letters + string.digits + "/?&=#:%'\"${}[]!,;*~@+-._ 科技"),
).filter(lambda url: " " not in url)


def outline(name="A", url="https://a.example/feed", folders=(), language=""):
    return opml.Outline(name, url, folders, language)


def read(body, head='<?xml version="1.0"?><opml version="2.0"><head><title>T</title></head>'):
    return list(opml.read(f"{head}<body>{body}</body></opml>".encode()))


# ---------------------------------------------------------------------------------------------- reading OPML


def test_an_outline_has_its_name_address_language_and_folders():
    body = '<outline text="科技"><outline title="x" text="博客"><outline text="A &amp; B" type="rss" language="en"'
    assert read(f'{body} xmlUrl="http://a.example/?a=1&amp;b=2" htmlUrl="http://a.example/"/></outline></outline>') == [
        outline("A & B", "http://a.example/?a=1&b=2", ("科技", "博客"), "en")
    ]


def test_folders_end_where_their_tag_ends():
    found = read('<outline text="F"><outline text="A" xmlUrl="u"></outline></outline><outline text="B" xmlUrl="v"/>')
    assert found == [outline("A", "u", ("F",)), outline("B", "v")]


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ('<OUTLINE TEXT="A" XMLURL="u"/>', outline("A", "u")),
        ('<outline title="T" xmlurl="u"/>', outline("T", "u")),
        ('<outline text="" title="T" xmlUrl="u"/>', outline("T", "u")),
        ('<outline xmlUrl="u"/>', outline("", "u")),
        ('<outline text="A" type="rss" url="u"/>', outline("A", "u")),
        ('<outline text="A" type="rss"/>', outline("A", "")),
        ('<outline text="A" xmlUrl=" u\n"/>', outline("A", "u")),
        ("<outline text='A \"B\"' xmlUrl='u'/>", outline('A "B"', "u")),
        ('<o:outline o:x="1" text="A" xmlUrl="u"/>', outline("A", "u")),
        ('<outline\n  text="A"\n  xmlUrl="u"\n></outline>', outline("A", "u")),
    ],
)
def test_what_lists_really_say_is_understood(tag, expected):
    assert read(tag) == [expected]


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        (
            '<outline text="A & B <C> &nbsp;D" xmlUrl="http://a/?x=1&copy=2"/>',
            outline("A & B <C> D", "http://a/?x=1&copy=2"),
        ),
        ('<outline text="A &lt B" xmlUrl="u"/>', outline("A &lt B", "u")),
        ('<outline text="He said "hi" there" xmlUrl="u"/>', outline('He said "hi', "u")),
        ('<outline text="A xmlUrl="http://a/feed" />', outline("A", "http://a/feed")),
        ('<outline text="A > B" description="1 < 2" xmlUrl="u"/>', outline("A > B", "u")),
        ("<outline text=A type=rss xmlUrl=http://a/feed?type=rss />", outline("A", "http://a/feed?type=rss")),
        ('<outline text="A"xmlUrl="u"/>', outline("A", "u")),
        ('<outline text="A" text="B" xmlUrl="u"/>', outline("A", "u")),
        ('<outline text="A\x0b\x00" xmlUrl="u"/>', outline("A", "u")),
    ],
)
def test_a_broken_tag_costs_at_most_its_name_and_nothing_after_it(tag, expected):
    after = '<outline text="Z" xmlUrl="z"/>'
    assert [each for each in read(f"{tag}\n{after}") if each.url] == [expected, outline("Z", "z")]


@pytest.mark.parametrize("cut", ['<outline text="A" xmlUrl="u"', '<outline text="A" xmlUrl="u', "<outline xmlUrl=u"])
def test_a_list_cut_off_in_an_outline_keeps_it(cut):
    assert [each.url for each in opml.read(f'<opml><body><outline text="F">{cut}'.encode())] == ["u"]


def test_outlines_after_the_end_of_the_body_count():
    assert [each.url for each in opml.read(b'<opml><body></body></opml><outline xmlUrl="u"/>')] == ["u"]


def test_a_comment_is_left_out_and_an_endless_one_is_none():
    assert [
        each.url for each in read('<!-- <outline xmlUrl="no"/> --><outline xmlUrl="a"/><!-- <outline xmlUrl="b"/>')
    ] == [
        "a",
        "b",
    ]


@pytest.mark.parametrize("encoding", ["gbk", "gb18030", "big5", "utf-16", "utf-8-sig", "utf-8"])
def test_a_list_is_read_in_the_encoding_that_it_is_in(encoding):
    label = encoding.removesuffix("-sig")
    document = (
        f'<?xml version="1.0" encoding="{label}"?><opml><body><outline text="中文新聞" xmlUrl="u"/></body></opml>'
    )
    assert [each.name for each in opml.read(document.encode(encoding))] == ["中文新聞"]


def test_hostile_nesting_and_quotes_take_time_in_proportion():
    body = "".join(f'<outline text="{n}"><outline xmlUrl="http://a.example/{n}">' for n in range(20_000))
    started = time.process_time()
    assert len(read(body)) == 20_000
    assert len(read("<!-- " * 50_000 + '<outline xmlUrl="u"/>')) == 1
    assert len(read('<outline text="' * 50_000 + '<outline xmlUrl="u"/>')) == 1
    assert len(read("<outline text=" * 50_000 + '"<outline xmlUrl="u"/>')) == 1
    assert time.process_time() - started < 10


SCRAPS = [
    "<outline ",
    "</outline>",
    'xmlUrl="u"',
    'text="',
    '"',
    "'",
    ">",
    "/>",
    "<!--",
    "-->",
    "&",
    "<",
    "<body>",
    " ",
]


@given(st.binary() | st.lists(st.sampled_from(SCRAPS)).map("".join).map(str.encode))
def test_no_bytes_raise_and_none_hides_what_comes_after(before):
    document = b"<opml>" + before.decode("latin-1").encode() + b'\n<outline text="A" xmlUrl="good"/>'
    assert list(opml.read(document))[-1].url == "good"
    list(opml.read(before))


def test_real_lists_lose_nothing(corpus):
    read_as_xml = 0
    for path in sorted((corpus / "opml").glob("*.opml")):
        found = list(opml.read(path.read_bytes()))
        assert len(found) == len(re.findall(rb"\sxmlUrl=", path.read_bytes())), path.name
        try:
            root = ElementTree.parse(path)
        except ElementTree.ParseError:
            continue
        read_as_xml += 1
        said = [(each.get("text"), each.get("xmlUrl")) for each in root.iter("outline") if each.get("xmlUrl")]
        assert [each.url for each in found] == [url.strip() for _, url in said]
        assert [each.name for each in found if each.name] == [text.one_line(name) for name, _ in said if name]
    assert read_as_xml


# ---------------------------------------------------------------------------------------------- writing OPML


def test_a_written_list_is_opml_2_with_categories_as_folders():
    sources = [Source("A & <B>", "http://a.example/?a&b", ("tech",), language="en"), Source("C", "http://c.example/")]
    root = ElementTree.fromstring(opml.write("聚合", sources, {"tech": "科技", "ai": "人工智能"}))
    assert (root.tag, root.get("version"), root.findtext("head/title")) == ("opml", "2.0", "聚合")
    assert [each.get("text") for each in root.iterfind("body/outline")] == ["C", "科技"]
    inner = root.find("body/outline/outline")
    assert inner is not None
    assert inner.attrib == {
        "type": "rss",
        "text": "A & <B>",
        "title": "A & <B>",
        "xmlUrl": "http://a.example/?a&b",
        "language": "en",
    }


@given(
    st.lists(
        st.builds(Source, NAMES, URLS, st.sampled_from([(), ("tech",), ("ai",), ("tech", "ai")])),
        unique_by=(lambda s: s.name, lambda s: intake.key(s.url)),
    )
)
def test_what_is_exported_is_imported_again(sources):
    labels = {category.term: category.label for category in CATEGORIES}
    document = opml.write("T", sources, labels)
    ElementTree.fromstring(document)
    again = intake.sort_out(opml.read(document), [], TERMS)
    assert again.invalid == []
    assert sorted(again.added, key=lambda each: each.name) == sorted(sources, key=lambda each: each.name)


# ---------------------------------------------------------------------------------------------- intake


def sort_out(*outlines, sources=(), terms=TERMS):
    return intake.sort_out(outlines, sources, terms)


@pytest.mark.parametrize("folder", ["科技", "tech", "Technology", "TECH", "人工智能", "人工智慧"])
def test_a_folder_is_the_category_of_that_name(folder):
    (source,) = sort_out(outline(folders=(folder,))).added
    assert source.categories == (("ai",) if folder.startswith("人") else ("tech",))


def test_the_innermost_folder_that_is_a_category_counts():
    found = sort_out(outline(folders=("科技", "人工智能", "我的")), outline("B", "http://b.example", ("科技", "x")))
    assert [source.categories for source in found.added] == [("ai",), ("tech",)]


def test_a_feed_in_an_unknown_folder_has_no_category_and_the_folder_is_counted():
    found = sort_out(
        outline(folders=("杂",)), outline("B", "http://b.example", ("杂",)), outline("C", "http://c.example")
    )
    assert found.unfiled == {"杂": 2, "": 1}
    assert {source.categories for source in found.added} == {()}


def test_an_address_in_several_folders_has_the_categories_of_all_of_them():
    found = sort_out(outline(folders=("科技",)), outline("A2", "http://www.a.example/feed/", ("人工智能",)))
    assert [source.categories for source in found.added] == [("tech", "ai")]
    assert [(each.name, holder) for each, holder in found.duplicates] == [("A2", "A")]


def test_a_duplicate_of_a_source_names_it_and_changes_nothing():
    found = sort_out(outline("X"), sources=[Source("旧", "http://a.example/feed/")])
    assert (found.added, found.duplicates) == ([], [(outline("X"), "旧")])


def test_addresses_that_differ_only_behind_the_number_sign_are_one():
    found = sort_out(outline("A", "http://a.example/#!/x"), outline("B", "http://a.example/#!/y"))
    assert [source.name for source in found.added] == ["A"]


def test_names_are_made_unique_against_new_old_and_former_ones():
    found = sort_out(
        outline("A", "http://1.example"),
        outline("A", "http://2.example"),
        outline("B", "http://3.example"),
        outline("", "http://4.example"),
        sources=[Source("A", "http://0.example"), Source("C", "http://9.example", formerly=("B",))],
    )
    assert [source.name for source in found.added] == ["A (2)", "A (3)", "B (2)", "4.example"]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "no address"),
        ("ftp://a.example/", "not a web address"),
        ("javascript:alert(1)", "not a web address"),
        ("http://", "no valid host"),
        ("http://a b/", "blank"),
        ("http://user:secret@a.example/", "user name or password"),
        ("http://[::1/", "not a web address"),
        ("http://a.example:99999/", "not a web address"),
    ],
)
def test_an_invalid_address_is_named_with_the_reason(url, reason):
    found = sort_out(outline("A", url), outline("B", "http://b.example"))
    assert [(each.name, reason in why) for each, why in found.invalid] == [("A", True)]
    assert [source.name for source in found.added] == ["B"]


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("feed://a.example/x", "http://a.example/x"),
        ("feed:https://a.example/x", "https://a.example/x"),
        ("feed://https://a.example/x", "https://a.example/x"),
        (" http://a.example/x ", "http://a.example/x"),
    ],
)
def test_the_feed_scheme_is_put_right(said, meant):
    assert intake.address(said) == meant


@given(
    st.lists(
        st.builds(outline, st.text(max_size=3), URLS | st.text(max_size=9), st.lists(st.text(max_size=2)).map(tuple))
    )
)
def test_every_outline_is_added_or_a_duplicate_or_invalid(outlines):
    found = intake.sort_out(outlines, [], TERMS)
    assert len(found.added) + len(found.duplicates) + len(found.invalid) == len(outlines)
    assert {holder for _, holder in found.duplicates} <= {source.name for source in found.added}
    assert len({source.name for source in found.added}) == len(found.added)


# ---------------------------------------------------------------------------------------------- sources.yaml


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "categories.yaml").write_text(
        "categories:\n- {term: tech, label: 科技}\n- {term: ai, label: 人工智能}\n", "utf-8"
    )
    return tmp_path


def append(folder, *sources):
    """Append, and the sources that the configuration lists then."""
    listing.append(folder, sources, lambda: config.load(folder, {}))
    return list(config.load(folder, {}).sources)


OLD = Source("旧", "https://old.example/feed")
NEW = Source("New: feed", "https://new.example/feed", ("tech",), language="zh-Hans")
BOTH = Source("Both", "https://both.example/feed", ("tech", "ai"))


@pytest.mark.parametrize(
    ("before", "added"),
    [
        (
            "sources:\n  - name: 旧\n    url: https://old.example/feed\n",
            "  - name: 'New: feed'\n    url: https://new.example/feed\n    category: tech\n    language: zh-Hans\n",
        ),
        (
            "sources:\n- name: 旧\n  url: https://old.example/feed\n",
            "- name: 'New: feed'\n  url: https://new.example/feed\n  category: tech\n  language: zh-Hans\n",
        ),
        (
            "sources:\n    -   url: https://old.example/feed\n        name: 旧\n# end\n\n",
            "    -   name: 'New: feed'\n        url: https://new.example/feed\n        category: tech\n"
            "        language: zh-Hans\n",
        ),
        (
            "sources:\r\n  - {name: 旧, url: https://old.example/feed}\r\n",
            "  - name: 'New: feed'\r\n    url: https://new.example/feed\r\n    category: tech\r\n"
            "    language: zh-Hans\r\n",
        ),
        (
            "sources:\n  - name: 旧\n    url: https://old.example/feed",
            "\n  - name: 'New: feed'\n    url: https://new.example/feed\n    category: tech\n    language: zh-Hans",
        ),
        (
            "\ufeffsources:\n  -\n    name: 旧\n    url: https://old.example/feed  # it's old\n",
            "  - name: 'New: feed'\n    url: https://new.example/feed\n    category: tech\n    language: zh-Hans\n",
        ),
    ],
)
def test_a_block_is_added_in_the_style_of_the_file_and_no_byte_before_changes(folder, before, added):
    path = folder / "sources.yaml"
    path.write_bytes(before.encode())
    assert append(folder, NEW) == [OLD, NEW]
    assert path.read_bytes() == (before + added).encode()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("sources: [{name: 旧, url: 'https://old.example/feed'}]  # x\n", "]  # x\n"),
        ("sources: [\n  {name: 旧, url: 'https://old.example/feed'},  # x\n]\n", ",  # x\n]\n"),
        ('{"sources": [{"name": "旧", "url": "https://old.example/feed"}]}', "]}"),
        ("---\nsources:\n- {name: 旧, url: https://old.example/feed}\n...\n", "...\n"),
    ],
)
def test_a_list_in_brackets_or_with_an_end_is_added_to(folder, before, after):
    path = folder / "sources.yaml"
    path.write_text(before, "utf-8")
    assert append(folder, NEW, BOTH) == [OLD, NEW, BOTH]
    written = path.read_text("utf-8")
    assert written.startswith(before.removesuffix(after))
    assert written.endswith(after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, "sources:\n"),
        ("", "sources:\n"),
        ("# mine\n", "# mine\nsources:\n"),
        ("# mine", "# mine\nsources:\n"),
        ("sources:", "sources:\n"),
        ("# mine\nsources:   # none yet\n# end\n", "# mine\nsources: # none yet\n"),
        ("sources: null\n", "sources:\n"),
        ("sources: []\n", "sources:\n"),
        ("sources: [ ] # none yet\n# end\n", "sources: # none yet\n"),
        ("sources: []", "sources:\n"),
        ("sources: [\n  # none yet\n]\n", "sources: [\n  # none yet\n{name: "),
        ("{sources: []}", "{sources: [{name: "),
    ],
)
def test_an_empty_or_missing_list_is_begun(folder, before, after):
    path = folder / "sources.yaml"
    if before is not None:
        path.write_text(before, "utf-8")
    listing.begin(folder)
    assert config.load(folder, {}).sources == ()
    assert append(folder, OLD, NEW) == [OLD, NEW]
    assert path.read_text("utf-8").startswith(after)
    assert path.read_text("utf-8").count("# none yet") == (before or "").count("# none yet")


def test_a_file_that_lists_something_is_not_begun_anew(folder):
    path = folder / "sources.yaml"
    for content in (b"sources: [{name: a, url: 'http://a.example'}]\n", b"source:\n", b"\xb0\xa1: [", b"sources:\n- x"):
        path.write_bytes(content)
        listing.begin(folder)
        assert path.read_bytes() == content


@given(st.lists(st.builds(Source, NAMES | st.sampled_from(AWKWARD), URLS), min_size=1, max_size=4))
def test_whatever_is_added_loads_back_equal(tmp_path_factory, sources):
    folder = tmp_path_factory.mktemp("config")
    (folder / "categories.yaml").write_text("categories: []\n", "utf-8")
    unique = {intake.key(each.url): each for each in {each.name: each for each in sources}.values()}
    for begun in ("sources: []\n", "sources: [{name: first of all, url: 'http://first.example'}]\n"):
        (folder / "sources.yaml").write_text(begun, "utf-8")
        loaded = append(folder, *unique.values())
        assert [each for each in loaded if each.name != "first of all"] == list(unique.values())


@pytest.mark.parametrize("name", AWKWARD)
def test_an_awkward_name_loads_back_equal(folder, name):
    (folder / "sources.yaml").write_text("sources: []\n", "utf-8")
    assert append(folder, Source(name, "https://a.example/x:")) == [Source(name, "https://a.example/x:")]


@pytest.mark.parametrize("name", ["少数派", "36氪", "Arthur's “Review”", "C# 与 .NET", "BBC News 中文", "a:b"])
def test_an_ordinary_name_has_no_quotes(name):
    assert listing.written(name) == name


def test_what_does_not_load_leaves_the_file_as_it_was(folder):
    path = folder / "sources.yaml"
    path.write_text("sources:\n- {name: 旧, url: https://old.example/feed}\n", "utf-8")
    before = path.read_bytes()
    with pytest.raises(errors.ConfigError, match="is here a second time"):
        append(folder, Source("旧", "https://new.example/"))
    assert path.read_bytes() == before
    assert sorted(each.name for each in folder.iterdir()) == ["categories.yaml", "sources.yaml"]


def test_the_rights_of_the_file_and_a_link_to_it_stay(folder):
    elsewhere = folder / "elsewhere.yaml"
    elsewhere.write_text("sources: []\n", "utf-8")
    elsewhere.chmod(0o640)
    (folder / "sources.yaml").symlink_to(elsewhere)
    assert append(folder, OLD) == [OLD]
    assert (folder / "sources.yaml").is_symlink()
    assert elsewhere.stat().st_mode & 0o777 == 0o640


def test_two_that_add_at_once_lose_nothing(folder):
    (folder / "sources.yaml").write_text("sources: []\n", "utf-8")
    adders = [threading.Thread(target=append, args=(folder, Source(str(n), f"http://{n}a.example"))) for n in range(8)]
    for adder in adders:
        adder.start()
    for adder in adders:
        adder.join()
    assert {each.name for each in config.load(folder, {}).sources} == {str(n) for n in range(8)}


# ---------------------------------------------------------------------------------------------- findings


def reading(*entries, moved_to=None, **head):
    feed = ParsedFeed("rss20", "utf-8", Head(**head), ())
    return probe.Reading(Source("A", "http://a.example/feed"), moved_to, feed, entries)


def findings(*entries, moved_to=None):
    return probe.findings(reading(*entries, moved_to=moved_to), NOW)


def test_findings_count_what_entries_have():
    found = findings(
        prepared(id="1", published=NOW - DAY),
        prepared(id="2", published=NOW - HOUR, link=None),
        prepared(id="3", published=NOW - 2 * HOUR, title="", content=""),
    )
    assert (found.format, found.entries, found.with_date, found.with_link) == ("RSS 2.0", 3, 3, 2)
    assert (found.with_title, found.with_text) == (2, 2)
    assert (found.newest, found.oldest) == (NOW - HOUR, NOW - DAY)
    assert found.rhythm == timedelta(hours=11.5)


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"repairs": ("document:mended",)}, "not well-formed"),
        ({"published": None}, "1 entry has no usable date"),
        ({"repairs": ("date:unreadable",)}, "1 entry has a date that cannot be read"),
        ({"published": NOW + DAY}, "1 entry has a date in the future"),
        ({"link": None, "repairs": ("link:none",)}, "1 entry has no link"),
        ({"repairs": ("link:guid",)}, "the guid is taken"),
        ({"repairs": ("link:self",)}, "rel=self is taken"),
        ({"id": None}, "1 entry has no id"),
        ({"title": ""}, "1 entry has no title"),
    ],
)
def test_a_problem_is_said_in_words(said, problem):
    found = findings(prepared(**({"published": NOW} | said)))
    assert problem in "; ".join(found.problems)
    assert findings(prepared(published=NOW)).problems == ()


def test_a_shared_id_a_move_and_an_empty_feed_are_problems():
    assert "2 entries have an id that another one has too" in findings(prepared(), prepared()).problems
    assert "change its url to http://new.example/" in findings(prepared(), moved_to="http://new.example/").problems[0]
    assert findings().problems == ("it has no entries just now",)


def test_findings_say_how_entries_would_be_filed_and_why():
    document = (
        b'<rss version="2.0"><channel><title>T</title><item><title>chips</title><link>http://a/1</link></item>'
        b"<item><title>x</title><link>http://a/2</link></item></channel></rss>"
    )
    tools = prepare.pack(Config(Path(), Settings(), (), (Category("tech", "T", threshold=math.inf),)))
    source = Source("A", "http://a.example", ("tech",))
    feed, entries = prepare.document(document, None, source.url, source, tools, b"")
    found = probe.findings(probe.Reading(source, None, feed, entries), NOW)
    assert found.filed == {"tech": 2}
    assert found.samples == (("chips", (Filing("tech", "source"),)), ("x", (Filing("tech", "source"),)))
    assert probe.findings(reading(prepared()), NOW).filed == {"other": 1}


@pytest.mark.parametrize(
    ("version", "name"),
    [("rss20", "RSS 2.0"), ("rss091u", "RSS 0.91"), ("atom10", "Atom 1.0"), ("json", "JSON Feed"), ("", "unknown")],
)
def test_a_format_has_its_usual_name(version, name):
    assert probe.format_name(version) == name


@pytest.mark.parametrize(
    ("title", "said", "language"),
    [
        ("简体中文的标题", "en-US", "zh-Hans"),
        ("繁體中文的標題", None, "zh-Hant"),
        ("An English title", "en-GB", "en-GB"),
        ("Ein deutscher Titel", "de", "de"),
        ("Just ASCII", None, None),
        ("Just ASCII", "not a tag", None),
    ],
)
def test_the_language_is_what_the_titles_show_else_what_the_feed_says(title, said, language):
    assert reading(prepared(title=title), language=said).language() == language
