"""Bytes → text: what is declared, what is true, and what one bad byte costs."""

from __future__ import annotations

import csv
import html
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.parse import decoding

HANS = "国产芯片公司今天发布了新一代处理器，性能比上一代提高一倍"
HANT = "國產晶片公司今天發布了新一代處理器，性能比上一代提高一倍"
JAPANESE = "新しいスマートフォンがきょう発売されました"
KOREAN = "정부가 오늘 새로운 정책을 발표했다고 한다"
FRENCH = "L’été à Paris : où dîner près de la Seine ?"


def feed(text: str, codec: str, declared: str = "") -> bytes:
    declaration = f'<?xml version="1.0" encoding="{declared}"?>' if declared else '<?xml version="1.0"?>'
    return f"{declaration}<rss><title>{text}</title></rss>".encode(codec)


def title(body: bytes, content_type: str | None = None) -> str:
    text = decoding.decode(body, content_type).text
    return text.removeprefix("<rss><title>").removesuffix("</title></rss>")


@pytest.mark.parametrize(
    ("text", "codec", "declared"),
    [
        (HANS, "utf-8", "utf-8"),
        (HANS, "utf-8-sig", "gb2312"),
        (HANS, "gb18030", "gb2312"),
        (HANS + "镕堃㐀𠀀€😀", "gb18030", "gb_2312-80"),
        (HANS, "gbk", "x-gbk"),
        (HANS, "gbk", "CP936"),
        ("新华社：芯片", "hz", "hz-gb-2312"),
        (HANT, "big5", "Big5"),
        ("台灣", "big5", "big5"),
        ("嘅喺咗 𨋢", "big5hkscs", "big5"),
        ("碁銹裏", "cp950", "x-x-big5"),
        (FRENCH, "cp1252", "iso-8859-1"),
        (FRENCH, "cp1252", "us-ascii"),
        (JAPANESE, "cp932", "Shift_JIS"),
        (JAPANESE, "euc_jp", "EUC-JP"),
        (JAPANESE, "iso2022_jp", "iso-2022-jp"),
        ("뷁 " + KOREAN, "cp949", "ks_c_5601-1987"),
        ("Новости дня", "cp1251", "windows-1251"),
        ("Новости дня", "koi8-r", "koi8-r"),
    ],
)
def test_a_declared_encoding_is_read_with_the_largest_set_of_that_name(text: str, codec: str, declared: str) -> None:
    assert title(feed(text, codec, declared)) == text


@pytest.mark.parametrize("declared", ["hz-gb-2312", "iso-2022-jp"])
def test_what_begins_characters_in_an_encoding_of_seven_bits_says_nothing_beside_others(declared: str) -> None:
    for codec in ("utf-8", "gb18030"):
        assert title(feed(f"{HANS}~{{\x1b", codec, declared)).startswith(HANS)


@pytest.mark.parametrize("before", ["", HANS], ids=["alone", "among others"])
def test_a_character_written_as_two_surrogates_is_one(before: str) -> None:
    surrogates = b"\xed\xa0\xbd\xed\xb8\x80"
    assert title(feed(f"{before}|", "utf-8").replace(b"|", surrogates)) == f"{before}😀"


def test_the_euro_sign_of_windows_is_read_in_gbk() -> None:
    assert title(feed(f"{HANS}|5", "gb18030", "gbk").replace(b"|", b"\x80")) == f"{HANS}€5"


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("mark", ["\ufeff", ""], ids=["marked", "unmarked"])
def test_wide_encodings_are_told_by_their_mark_or_their_first_character(codec: str, mark: str) -> None:
    body = f'{mark}<?xml version="1.0" encoding="utf-16"?><rss><title>{HANS}</title></rss>'.encode(codec)
    assert title(body) == HANS
    assert decoding.decode(body, None).encoding == codec


@pytest.mark.parametrize("before", [b"\0<", b"<\0", b"\0", b"{\0"])
def test_a_stray_zero_byte_makes_no_document_wide(before):
    assert decoding.decode(before + f"\n<rss><title>{HANS}</title></rss>".encode(), None).text.endswith(
        f"<rss><title>{HANS}</title></rss>"
    )


@pytest.mark.parametrize("declared", ["gb2312", "big5", "iso-8859-1", "utf-16", "koi8-r", "no-such-thing"])
def test_utf8_is_utf8_whatever_it_declares(declared: str) -> None:
    assert title(feed(HANS, "utf-8", declared), f"text/xml; charset={declared}") == HANS


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        (HANS, "gb18030"),
        (HANT, "big5"),
        (HANT, "gb18030"),
        (FRENCH, "cp1252"),
        (JAPANESE, "cp932"),
        (JAPANESE, "euc_jp"),
        (KOREAN, "cp949"),
    ],
)
def test_an_undeclared_encoding_is_told_by_its_text(text: str, codec: str) -> None:
    assert title(feed(text, codec)) == text


@pytest.mark.parametrize(
    ("text", "codec", "declared"),
    [
        (HANS, "gb18030", "iso-8859-1"),
        (HANS, "gb18030", "utf-8"),
        (HANS, "gb18030", "big5"),
        (HANT, "big5", "gb2312"),
        (FRENCH, "cp1252", "gb2312"),
        (FRENCH, "cp1252", "utf-8"),
    ],
)
def test_a_wrong_declaration_gives_way_to_the_text(text: str, codec: str, declared: str) -> None:
    assert title(feed(text, codec, declared)) == text


def test_http_comes_before_the_declaration() -> None:
    body = feed("Новости", "koi8-r", "windows-1251")
    assert title(body, "text/xml; charset=KOI8-R") == "Новости"


@pytest.mark.parametrize("label", ["iso-8859-1", "us-ascii", '"ISO-8859-1"'])
def test_latin_1_that_servers_say_unasked_gives_way_to_the_declaration(label: str) -> None:
    body = feed("Новости", "koi8-r", "koi8-r")
    assert title(body, f"text/xml;charset={label}") == "Новости"


@pytest.mark.parametrize(
    "label", ["utf-7", "unicode_escape", "zlib", "base64", "idna", "rot13", "hex", "punycode", "undefined"]
)
def test_codecs_that_are_no_encoding_of_the_web_are_never_used(label: str) -> None:
    body = feed("+ADw-b+AD4- \\u0041 Gb", "ascii", label)
    assert title(body, f"text/xml; charset={label}") == "+ADw-b+AD4- \\u0041 Gb"


def test_the_declaration_and_the_mark_are_left_out_but_not_the_doctype() -> None:
    decoded = decoding.decode(b"\xef\xbb\xbf\n<?xml version='1.0' encoding='utf-8' ?><!DOCTYPE rss><rss/>", None)
    assert decoded == decoding.Decoded("<!DOCTYPE rss><rss/>", "utf-8")


@pytest.mark.parametrize(("codec", "text"), [("utf-8", HANS), ("gb18030", HANS), ("big5", HANT), ("euc_jp", JAPANESE)])
def test_a_spoilt_byte_costs_one_character(codec: str, text: str) -> None:
    whole = feed(text, codec, codec)
    start = whole.index(b"<title>") + len(b"<title>")
    for place in range(start, start + len(text.encode(codec))):
        if whole[place] < 0x80:
            continue
        spoilt = title(whole[:place] + b"\xff" + whole[place + 1 :])
        assert lost(text, spoilt) <= (2 if codec == "utf-8" else 1), spoilt


STRAY = [
    (HANS, "gb18030", b"\xff"),
    (HANT, "big5", b"\xff"),
    (HANT, "big5", b"\x80"),
    ("發布了：今代", "big5", b"\xff"),
    (JAPANESE, "cp932", b"\xff"),
    (JAPANESE, "euc_jp", b"\x80"),
    (KOREAN, "cp949", b"\xff"),
]


@pytest.mark.parametrize(("text", "codec", "stray"), STRAY)
def test_a_byte_that_was_put_in_costs_at_most_the_character_that_it_is_within(
    text: str, codec: str, stray: bytes
) -> None:
    whole = text.encode(codec)
    for place in range(len(whole) + 1):
        spoilt = title(feed("|", "ascii", codec).replace(b"|", whole[:place] + stray + whole[place:]))
        before = whole[:place].decode(codec, "ignore")
        assert lost(text, spoilt) <= (before.encode(codec) != whole[:place]), spoilt


def lost(text: str, read: str) -> int:
    """How many characters of `text` are between the longest beginning and end that `read` has in common with it."""
    ahead = next((k for k, (a, b) in enumerate(zip(text, read, strict=False)) if a != b), len(text))
    behind = next((k for k, (a, b) in enumerate(zip(text[::-1], read[::-1], strict=False)) if a != b), len(text))
    return max(len(text) - ahead - behind, 0)


def test_characters_that_were_lost_before_speak_for_utf8() -> None:
    assert (
        title(feed("a\ufffd b\ufffd c\ufffd|", "utf-8", "iso-8859-1").replace(b"|", b"\xff"))
        == "a\ufffd b\ufffd c\ufffd\ufffd"
    )


@pytest.mark.parametrize("codec", ["utf-8", "gb18030", "big5"])
def test_a_character_cut_short_eats_no_markup(codec: str) -> None:
    body = feed(HANT, codec, codec)
    cut = body.replace("倍".encode(codec), "倍".encode(codec)[:1])
    assert title(cut) == HANT[:-1] + "\ufffd"


def test_a_lost_byte_does_not_put_the_rest_out_of_step() -> None:
    body = feed("芯片" + HANS, "gb18030", "gbk")
    place = body.index("片".encode("gb18030"))
    assert title(body[:place] + body[place + 1 :]).endswith(HANS)


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_utf16_with_an_odd_byte_is_put_in_step_again(codec: str) -> None:
    text = f"<rss><title>{HANS}</title><link>x</link></rss>"
    body = ("\ufeff" + text).encode(codec)
    assert decoding.decode(body + b"\0", None).text.startswith(text)
    lacking = body[:30] + body[31:]
    assert decoding.decode(lacking, None).text.endswith("</title><link>x</link></rss>")


@pytest.mark.parametrize(("text", "codec"), [(HANS, "gb18030"), (HANT, "big5")])
def test_a_stretch_in_another_encoding_than_its_document_is_read(text: str, codec: str) -> None:
    whole = feed(f"{HANS}<|>{HANS * 3}", "utf-8", "utf-8").replace(b"|", text.encode(codec))
    assert title(whole) == f"{HANS}<{text}>{HANS * 3}"


def test_one_bad_byte_among_latin_letters_keeps_them() -> None:
    assert title(feed("España", "cp1252", "utf-8")) == "España"


@given(st.binary(max_size=400), st.one_of(st.none(), st.text(max_size=40)))
def test_any_bytes_are_read(body: bytes, content_type: str | None) -> None:
    assert isinstance(decoding.decode(body, content_type).text, str)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff"), max_size=60))
def test_utf8_is_read_as_it_was_written(text: str) -> None:
    assert title(feed(text, "utf-8", "gb2312")) == text


@pytest.mark.parametrize(
    "unit",
    [b"\xff", b"\x81<", b"\x81\x30", b"<?xml ", "中".encode("gbk") + b"\xff", b"caf\xe9 ", b"\xe4\xb8", b"\x1b$B"],
)
def test_hostile_bytes_take_linear_time(unit: bytes) -> None:
    body = unit * (3_000_000 // len(unit))
    started = time.perf_counter()
    decoding.decode(body, "text/xml; charset=gbk")
    assert time.perf_counter() - started < 5


def derived(corpus: Path) -> Iterator[tuple[str, Path, Path]]:
    with (corpus / "feeds" / "derived_INDEX.tsv").open(encoding="utf-8") as index:
        for row in csv.DictReader(index, delimiter="\t"):
            made, original = corpus / row["file"], corpus / row["made_from"]
            if made.exists() and original.exists():
                yield row["variant"], made, original


def test_every_re_encoded_feed_of_the_corpus_is_read_right(corpus: Path) -> None:
    feeds = list(derived(corpus))
    assert feeds
    assert [made.name for variant, made, original in feeds if not is_right(variant, made, original)] == []


def is_right(variant: str, made: Path, original: Path) -> bool:
    """Characters that an encoding lacks were written as references. A converted feed is compared with its own bytes."""
    expected = original.read_bytes()
    if variant.startswith("opencc"):
        expected = made.read_bytes().decode("big5").encode()
    return plain(made.read_bytes()) == plain(expected)


def plain(body: bytes) -> str:
    return html.unescape(decoding.decode(body, None).text).strip()
