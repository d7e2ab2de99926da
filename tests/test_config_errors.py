"""config: every problem at once, at its place, with what to do; and no secret in any of them."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aggregator import config, errors
from tests.instance import Instance

SOURCES = """\
sources:
- name: 少数派
  url: https://sspai.com/feed
  category: tech
"""
CATEGORIES = """\
categories:
- term: tech
  label: 科技
- term: ai
  label: 人工智能
  parent: tech
"""


def problems(
    folder: Path,
    *,
    sources: str | bytes | None = SOURCES,
    categories: str | bytes | None = CATEGORIES,
    aggregator: str | bytes | None = None,
    environ: Mapping[str, str] | None = None,
) -> list[str]:
    """What is said of these files, with paths relative to their folder."""
    for name, text in (("sources", sources), ("categories", categories), ("aggregator", aggregator)):
        path = folder / f"{name}.yaml"
        path.unlink(missing_ok=True)
        if text is not None:
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
    try:
        config.load(folder, environ or {})
    except errors.ConfigError as error:
        return [str(problem).replace(f"{folder}/", "") for problem in error.problems]
    return []


def of_source(folder: Path, more: str, environ: Mapping[str, str] | None = None) -> list[str]:
    """What is said of sources.yaml with `more` from line 5 on."""
    return problems(folder, sources=SOURCES + more, environ=environ)


def of_category(folder: Path, more: str) -> list[str]:
    """What is said of categories.yaml with `more` from line 7 on."""
    return problems(folder, categories=CATEGORIES + more)


def check(found: list[str], expected: str) -> None:
    """One problem was found: it begins with the place and holds each further part, in that order."""
    place, *parts = expected.split(" | ")
    assert len(found) == 1, found
    assert found[0].startswith(f"{place}: ")
    position = 0
    for part in parts:
        position = found[0].find(part, position)
        assert position >= 0, (found[0], part)


# ---------------------------------------------------------------------------------------------- all at once


def test_all_problems_of_all_files_are_told_at_once_in_file_order(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        sources="""\
sources:
- name: 少数派
  url: sspai.com/feed
  category: [tech, tehc]
  evry: 30m
- name: 少数派
  url: https://example.com/feed
  every: 5
""",
        categories="""\
categories:
- term: tech
  label: no
- term: all
""",
        aggregator="listen: 8080\nfetch:\n  deadline: soon\n",
    )
    assert [problem.partition(": ")[0] for problem in found] == [
        "sources.yaml:3:8",
        "sources.yaml:4:20",
        "sources.yaml:5:3",
        "sources.yaml:6:9",
        "sources.yaml:8:10",
        "categories.yaml:3:10",
        "categories.yaml:4:3",
        "categories.yaml:4:9",
        "aggregator.yaml:1:9",
        "aggregator.yaml:3:13",
    ]


def test_a_syntax_error_in_one_file_hides_nothing_in_the_others(tmp_path: Path) -> None:
    found = problems(tmp_path, sources="sources: [", categories="categories:\n- term: a\n", aggregator="x: 1\n")
    assert [problem.partition(": ")[0] for problem in found] == [
        "sources.yaml:2:1",
        "categories.yaml:2:3",
        "aggregator.yaml:1:1",
    ]


def test_unreadable_categories_make_no_category_unknown(tmp_path: Path) -> None:
    check(problems(tmp_path, categories="categories: ["), "categories.yaml:2:1")


def test_a_mistake_in_one_value_of_a_source_hides_no_clash_with_another(tmp_path: Path) -> None:
    found = of_source(tmp_path, "- name: 少数派\n  url: https://sspai.com:443/feed\n  every: 1\n  formerly: 少数派\n")
    assert [problem.partition(": ")[0] for problem in found] == [
        "sources.yaml:5:9",
        "sources.yaml:6:8",
        "sources.yaml:7:10",
        "sources.yaml:8:13",
    ]


# ---------------------------------------------------------------------------------------------- files


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(errors.ConfigError, match=r"nowhere: there is no such folder \(.*--config"):
        config.load(tmp_path / "nowhere", {})


def test_missing_files_are_told_with_what_to_write(tmp_path: Path) -> None:
    found = problems(tmp_path, sources=None, categories=None)
    assert found[0].startswith("sources.yaml: the file is missing (begin it with 'sources:'")
    assert found[1].startswith("categories.yaml: the file is missing (begin it with 'categories:'")


def test_a_file_with_another_ending_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "sources.yml").write_text(SOURCES, "utf-8")
    check(problems(tmp_path, sources=None), "sources.yaml | rename sources.yml to sources.yaml")


def test_a_folder_in_place_of_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "aggregator.yaml").mkdir()
    (tmp_path / "sources.yaml").write_text(SOURCES, "utf-8")
    (tmp_path / "categories.yaml").write_text(CATEGORIES, "utf-8")
    with pytest.raises(errors.ConfigError, match=r"aggregator\.yaml: cannot be read: Is a directory"):
        config.load(tmp_path, {})


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("sources:\n- name: 少数派新闻\n".encode("gbk"), "sources.yaml:2:9 | not UTF-8 | GBK | save the file as UTF-8"),
        (SOURCES.encode("utf-16"), "sources.yaml:1:1 | not UTF-8 | UTF-16"),
        (b"sources: \xff\xff\n", "sources.yaml:1:10 | not UTF-8 | save the file as UTF-8"),
        (b'sources:\n- name: "a\x07"\n', "sources.yaml:2:11 | control character U+0007 | remove it"),
        (b"", "sources.yaml:1:1 | not nothing | begin it with 'sources:'"),
        (b"# nothing yet\n", "sources.yaml:1:1 | not nothing | begin it with 'sources:'"),
        (b"sources:\n", "sources.yaml:1:9 | must be a list, not nothing | []"),
        (b"sources:\n  name: a\n", "sources.yaml:2:3 | must be a list, not keys with values | '- '"),
        (b"- name: a\n", "sources.yaml:1:1 | not a list | begin it with 'sources:' and put the list below"),
        (b"a feed\n", "sources.yaml:1:1 | not a single value | begin it with 'sources:'"),
        (b"{}\n", "sources.yaml:1:1 | the key 'sources' is missing"),
        (b"sources: []\n---\na: b\n", "sources.yaml:2:1 | a second document | remove the '---'"),
        (b"sources: []\ncategories: []\n", "sources.yaml:2:1 | unknown key 'categories' | belongs in categories.yaml"),
        (b"sources: []\nfetch: {}\n", "sources.yaml:2:1 | unknown key 'fetch' | belongs in aggregator.yaml"),
        (b"sources: " + b"[" * 500, "sources.yaml:1:59 | nested deeper than 50"),
        (b"sources:\n" + b"- " * 60 + b"a\n", "sources.yaml:2:99 | nested deeper than 50"),
    ],
)
def test_what_is_no_list_of_sources_is_explained(tmp_path: Path, raw: bytes, expected: str) -> None:
    check(problems(tmp_path, sources=raw), expected)


@pytest.mark.parametrize("opening", [b"[", b"{a: ", b"- ", b"[{a: "])
def test_nesting_without_an_end_is_explained_too(tmp_path: Path, opening: bytes) -> None:
    # Where it is said to be is libyaml's affair: from 0.2.6 on it stops by itself, and before it tells of the first 50.
    (found,) = problems(tmp_path, sources=b"sources:\n  " + opening * 100_000)
    assert re.fullmatch(r"sources\.yaml:2:\d+: this is nested deeper than 50 levels", found)


def test_a_file_with_a_byte_order_mark_and_crlf_has_the_same_places(tmp_path: Path) -> None:
    raw = b"\xef\xbb\xbf" + (SOURCES + "  evry: 30m\n").replace("\n", "\r\n").encode()
    check(problems(tmp_path, sources=raw), "sources.yaml:5:3 | unknown key 'evry'")


def test_a_wrong_line_of_tracking_parameters_is_told(tmp_path: Path) -> None:
    (tmp_path / "tracking.txt").write_text("a.example drop b\na.example rop b\n", "utf-8")
    check(problems(tmp_path), "tracking.txt | line 2 | data/tracking.txt")


def test_a_wrong_line_of_names_is_told(tmp_path: Path) -> None:
    (tmp_path / "aliases.txt").write_text("[people]\n张大明,, 張大明\n", "utf-8")
    check(problems(tmp_path), "aliases.txt | line 2 | data/aliases.txt")


# ---------------------------------------------------------------------------------------------- YAML


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("\tevery: 30m\n", "sources.yaml:5:1 | tab | write blanks"),
        ("  every:30m\n  full: true\n", "sources.yaml:5:8 | a blank is missing after the colon"),
        ("  every:30m\n", "sources.yaml:5:8 | a blank is missing after the colon"),
        ("  every: 30m\n   full: true\n", "sources.yaml:6:8 | check the indentation"),
        ("  every: '30m\n", "sources.yaml:5:10 | the quote that opens here is never closed"),
        ("  password: @x\n", "sources.yaml:5:13 | begins with @ must stand in quotes"),
        ("  password: *x\n", "sources.yaml:5:13 | alias | begins with * must stand in quotes"),
        ("  password: !x\n", "sources.yaml:5:13 | tag | begins with ! must stand in quotes"),
        ("  headers: !!omap {}\n", "sources.yaml:5:12 | tag"),
        ("  headers: {<<: {a: b}}\n", "sources.yaml:5:13 | merge keys | write the keys out"),
        ("  headers: &h {a: *h}\n", "sources.yaml:5:19 | alias"),
        ("  headers: {X-A: ${A}, X-B: b}\n", "sources.yaml:5:19 | ${…} must stand in quotes"),
        ("  ? [a]\n  : b\n", "sources.yaml:5:5 | a key must be a single word"),
        ("  name: 另一个\n", "sources.yaml:5:3 | 'name' is here a second time, first in line 2 | keep one"),
        ("  headers: {a: b, a: b}\n", "sources.yaml:5:19 | 'a' is here a second time, first in line 5"),
    ],
)
def test_yaml_that_we_cannot_take_is_explained(tmp_path: Path, more: str, expected: str) -> None:
    check(of_source(tmp_path, more), expected)


def test_aliases_cannot_multiply_a_small_file(tmp_path: Path) -> None:
    bomb = "sources:\n- &b0 [x, x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"- &b{n + 1} [{', '.join([f'*b{n}'] * 10)}]\n" for n in range(9))
    assert any("aliases repeat more than 100000 values" in problem for problem in problems(tmp_path, sources=bomb))


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("  every：30m\n", "sources.yaml:5:8 | the colon ： after a key is full-width | write ':' and a blank"),
        ("  every： 30m\n  full: true\n", "sources.yaml:5:8 | the colon ： after a key is full-width"),
        ("- name：b\n  url: https://b.example/\n", "sources.yaml:5:7 | the colon ： after a key"),
        ("    every：30m\n", "sources.yaml:5:10 | the colon ： after a key"),
        (
            "\uff0d name: b\n  url: https://b.example/\n",
            "sources.yaml:5:1 | the dash \uff0d of a list item | write '-'",
        ),
        (
            "- {name: b, url: 'https://b.example/', every：30m}\n",
            "sources.yaml:5:45 | 'every' has no value | full-width",
        ),
        ("- {name: b, url: 'https://b.example/', every:30m}\n", "sources.yaml:5:45 | 'every' has no value | blank"),
        ("  every: \uff13\uff10m\n", "sources.yaml:5:10 | not a duration | \uff13 is a full-width sign: write 3"),
        ("  language: “en”\n", 'sources.yaml:5:13 | not a language tag | “ is a full-width sign: write "'),
        ("\u3000every: 30m\n", "sources.yaml:5:1 | unknown key | ideographic space"),
        ("  formerly: [甲, 乙\uff3d\n  full: true\n", "sources.yaml:5:18 | \uff3d is a full-width sign: write ]"),
        ("  formerly: [\n甲，\n", "sources.yaml:6:2 | ， is a full-width sign: write ,"),
    ],
)
def test_full_width_signs_are_told_where_they_stand(tmp_path: Path, more: str, expected: str) -> None:
    check(of_source(tmp_path, more)[:1], expected)


def test_every_full_width_colon_is_told_and_what_stands_beside_it(tmp_path: Path) -> None:
    found = problems(tmp_path, categories="categories：\n- term：tech\n  label：科技\n  parant: x\n")
    assert [problem.partition(": ")[0] for problem in found] == [
        "categories.yaml:1:11",
        "categories.yaml:2:7",
        "categories.yaml:3:8",
        "categories.yaml:4:3",
    ]


def test_a_full_width_comma_between_terms_is_told(tmp_path: Path) -> None:
    source = "- name: b\n  url: https://b.example/\n  category: [tech，ai]\n"
    check(of_source(tmp_path, source), "sources.yaml:7:14 | there is no category 'tech，ai' | ， is a full-width sign")


def test_a_full_width_colon_inside_a_text_is_text(tmp_path: Path) -> None:
    assert of_source(tmp_path, "- name: 新闻：要闻\n  url: https://b.example/\n  formerly:\n  - 体育：足球\n") == []


# ---------------------------------------------------------------------------------------------- keys


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("  evry: 30m\n", "sources.yaml:5:3 | unknown key 'evry' | did you mean 'every'?"),
        ("  URL: x\n", "sources.yaml:5:3 | unknown key 'URL' | did you mean 'url'?"),
        ("  lang: zh\n", "sources.yaml:5:3 | unknown key 'lang' | did you mean 'language'?"),
        ("  xyzzy: 1\n", "sources.yaml:5:3 | unknown key 'xyzzy' | known here: name, url, category"),
        ("- url: https://b.example/\n", "sources.yaml:5:3 | the key 'name' is missing | add 'name: …'"),
        ("- https://b.example/\n", "sources.yaml:5:3 | must be keys with values, not a single value"),
        ("- [a]\n", "sources.yaml:5:3 | must be keys with values, not a list"),
        ("  headers: [a]\n", "sources.yaml:5:12 | headers: must be keys with values, not a list"),
        ("  every: [30m]\n", "sources.yaml:5:10 | every: must be a single value, not a list"),
        ("  formerly: {a: b}\n", "sources.yaml:5:13 | formerly: must be a single value, not keys with values"),
        ("  every:\n", "sources.yaml:5:9 | every: has no value | remove the key"),
        ("  username: a\n", "sources.yaml:5:3 | a username but no password"),
        ("  password: a\n", "sources.yaml:5:3 | a password but no username | add username"),
        (
            "  username: a\n  password: b\n  password_file: /dev/zero\n",
            "sources.yaml:7:3 | both password and password_file",
        ),
        (
            "  username: a\n  password: b\n  headers: {authorization: c}\n",
            "sources.yaml:7:13 | both username and authorization",
        ),
    ],
)
def test_wrong_keys_of_a_source(tmp_path: Path, more: str, expected: str) -> None:
    check(of_source(tmp_path, more)[:1], expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sources: []\n", "aggregator.yaml:1:1 | unknown key 'sources' | belongs in sources.yaml"),
        ("listen: 127.0.0.1:80\ncategories: []\n", "aggregator.yaml:2:1 | 'categories' | belongs in categories.yaml"),
        ("site.title: x\n", "aggregator.yaml:1:1 | unknown key 'site.title' | write 'site:' and below it | 'title:'"),
        ("fetch:\n  deadlin: 3s\n", "aggregator.yaml:2:3 | unknown key 'deadlin' | did you mean 'deadline'?"),
        ("site: [a]\n", "aggregator.yaml:1:7 | site: must be keys with values, not a list"),
        ("- site\n", "aggregator.yaml:1:1 | the file must hold keys with values, not a list"),
        ("site：\n  title: x\n", "aggregator.yaml:1:5 | the colon ： after a key is full-width"),
    ],
)
def test_wrong_keys_of_the_settings(tmp_path: Path, text: str, expected: str) -> None:
    check(problems(tmp_path, aggregator=text), expected)


# ---------------------------------------------------------------------------------------------- values of sources


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("12:30", "'12:30' is not a duration | write it as 30m, 6h, 1d, 1h30m or 90s"),
        ("30", "'30' is not a duration | 30m"),
        ("'30'", "'30' is not a duration | 30m"),
        ("1 h", "not a duration"),
        ("1h 30m", "not a duration"),
        ("30M", "not a duration"),
        ("m", "not a duration"),
        ("''", "not a duration"),
        ("999ms", "too short | the least is 1s"),
        ("0m", "too short"),
        ("0", "too short"),
        ("9999999999d", "too long | the most is 36500d"),
        ("99999999999d", "not a duration"),
        ("yes", "not a duration"),
        ("${MISSING}", "the environment variable MISSING is not set | set it | $${MISSING}"),
        ("${MISS ING}", "${ begins a variable's name | $${"),
        ("30${", "${ begins a variable's name | $${"),
    ],
)
def test_wrong_intervals(tmp_path: Path, value: str, expected: str) -> None:
    check(of_source(tmp_path, f"  every: {value}\n"), f"sources.yaml:5:10 | every: | {expected}")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("no", "to YAML no is a truth value | put it in quotes: 'no'"),
        ("Yes", "to YAML Yes is a truth value | put it in quotes: 'Yes'"),
        ("on", "to YAML on is a truth value"),
        ("true", "to YAML true is a truth value"),
        ("12:30", "to YAML 12:30 is a number to base 60 | put it in quotes: '12:30'"),
        ("010", "to YAML 010 is another number than it looks like | quotes"),
        ("1_000", "to YAML 1_000 is another number"),
        ("0x1F", "to YAML 0x1F is another number"),
        ("1e3", "to YAML 1e3 is another number"),
        (".inf", "to YAML .inf is another number"),
        ("2026-11-22", "to YAML 2026-11-22 is a date | quotes"),
        ("~", "has no value"),
        ("null", "has no value"),
        ("''", "is empty"),
        ("' '", "is empty"),
        ("' a'", "begins or ends with a blank"),
        ('"a\\nb"', "line break"),
    ],
)
def test_names_that_yaml_takes_for_something_else(tmp_path: Path, value: str, expected: str) -> None:
    source = f"- name: {value}\n  url: https://b.example/\n"
    check(of_source(tmp_path, source), f"sources.yaml:5:9 | name: | {expected}")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("b.example/feed", "is not a web address | http://"),
        ("ftp://b.example/", "is not a web address | http://"),
        ("file:///etc/passwd", "is not a web address"),
        ("https:///feed", "no valid host"),
        ("https://-b.example/", "no valid host"),
        ("https://b..example/", "no valid host"),
        ("https://1.2.3.999/", "no valid host"),
        ("https://b.example:99999/", "not a web address | port"),
        ("https://[::1/feed", "not a web address | brackets"),
        ("https://b.example/a b", "holds a blank | %20"),
        ("https://u:hunter2@b.example/", "user name or password | username and password"),
        ("https://u@b.example/", "user name or password"),
        ("360", "is not a web address"),
    ],
)
def test_wrong_addresses(tmp_path: Path, value: str, expected: str) -> None:
    source = f"- name: b\n  url: {value}\n"
    check(of_source(tmp_path, source), f"sources.yaml:6:8 | url: | {expected}")


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("  enabled: no\n", "sources.yaml:5:12 | enabled: 'no' is not true or false | write false"),
        ("  enabled: on\n", "sources.yaml:5:12 | enabled: 'on' is not true or false | write true"),
        ("  full: 'true'\n", "sources.yaml:5:9 | full: 'true' is a text here | without quotes"),
        ("  full: 1\n", "sources.yaml:5:9 | full: '1' is not true or false"),
        ("  excerpt: 1_000\n", "sources.yaml:5:12 | excerpt: '1_000' is not a whole number | plain digits"),
        ("  excerpt: 010\n", "sources.yaml:5:12 | excerpt: '010' is not a whole number"),
        ("  excerpt: '300'\n", "sources.yaml:5:12 | excerpt: '300' is not a whole number | without quotes"),
        ("  excerpt: 1.5\n", "sources.yaml:5:12 | excerpt: '1.5' is not a whole number"),
        ("  excerpt: 0\n", "sources.yaml:5:12 | excerpt: '0' is out of bounds | from 1 to 100000"),
        ("  excerpt: 1" + "0" * 5000 + "\n", "sources.yaml:5:12 | out of bounds"),
        ("  language: no\n", "sources.yaml:5:13 | language: | put it in quotes: 'no'"),
        ("  language: zh_CN\n", "sources.yaml:5:13 | language: 'zh_CN' is not a language tag | hyphens"),
        ("  language: Chinese\n", "sources.yaml:5:13 | language: 'Chinese' is not a language tag"),
        ("  timezone: Shanghai\n", "sources.yaml:5:13 | timezone: | did you mean Asia/Shanghai?"),
        ("  timezone: +08:00\n", "sources.yaml:5:13 | timezone: '+08:00' is not a time zone | Asia/Shanghai"),
        ("  timezone: ../etc/passwd\n", "sources.yaml:5:13 | is not a time zone"),
        ("  timezone: Asia\n", "sources.yaml:5:13 | is not a time zone"),
        ("  headers: {Host: x}\n", "sources.yaml:5:13 | 'Host' is set by the aggregator itself | remove it"),
        ("  headers: {if-none-match: x}\n", "sources.yaml:5:13 | 'if-none-match' is set by the aggregator"),
        ("  headers: {'X A': x}\n", "sources.yaml:5:13 | 'X A' is not a header name"),
        ('  headers: {X-A: "a\\r\\nB: c"}\n', "sources.yaml:5:18 | X-A: holds a line break"),
        ("  headers: {X-A: 010}\n", "sources.yaml:5:18 | X-A: must stand in quotes"),
        ("  headers: {X-A: ' a'}\n", "sources.yaml:5:18 | X-A: begins or ends with a blank"),
        ("  username: u\n  password: 0123\n", "sources.yaml:6:13 | password: must stand in quotes"),
        ("  username: u\n  password: ''\n", "sources.yaml:6:13 | password: is empty"),
        (
            "  username: u\n  password_file: none\n",
            "sources.yaml:6:18 | password_file: 'none' cannot be read: No such file",
        ),
        ("  username: u\n  password_file: .\n", "sources.yaml:6:18 | cannot be read: Is a directory"),
        ("  username: u\n  password_file: /dev/null\n", "sources.yaml:6:18 | first line of '/dev/null' is no password"),
    ],
)
def test_wrong_values_of_a_source(tmp_path: Path, more: str, expected: str) -> None:
    check(of_source(tmp_path, more), expected)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_password_file_that_may_not_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "secret").touch(0o000)
    found = of_source(tmp_path, "  username: u\n  password_file: secret\n")
    check(found, "sources.yaml:6:18 | 'secret' cannot be read: Permission denied")


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("  name: b\n", "the name '少数派' is here a second time, first in line 2"),
        ("  name: b\n  url: https://sspai.com/feed\n", "this address is here a second time, first in line 3"),
        ("  name: b\n  url: HTTPS://SSPAI.com:443/feed#x\n", "this address is here a second time, first in line 3"),
        (
            "  name: b\n  url: https://b.example/\n  formerly: 少数派\n",
            "'少数派' is still the name of the source in line 2",
        ),
        ("  name: b\n  url: https://b.example/\n  formerly: b\n", "'b' is still the name of the source in line 5"),
        ("  name: b\n  url: https://b.example/\n  formerly: [c, c]\n", "the former name 'c' is here a second time"),
    ],
)
def test_sources_that_clash(tmp_path: Path, more: str, expected: str) -> None:
    clash = more.replace("name: b\n", "name: 少数派\n  url: https://b.example/\n", 1) if more == "  name: b\n" else more
    found = of_source(tmp_path, "-" + clash[1:])
    assert len(found) == 1
    assert expected in found[0]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("tehc", "there is no category 'tehc' | did you mean tech?"),
        ("科技", "there is no category '科技' | that is a label: write its term, tech"),
        ("[tech, 人工智能]", "there is no category '人工智能' | that is a label: write its term, ai"),
        ("all", "there is no category 'all' | reserved"),
        ("sports", "there is no category 'sports' | categories.yaml"),
        ("no", "to YAML no is a truth value | quotes"),
    ],
)
def test_categories_that_do_not_exist(tmp_path: Path, value: str, expected: str) -> None:
    found = of_source(tmp_path, f"- name: b\n  url: https://b.example/\n  category: {value}\n")
    column = 13 + value.startswith("[") * len("[tech, ")
    check(found, f"sources.yaml:7:{column} | {expected}")


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("prior: {tehc: 0.5}", "7:11 | there is no category 'tehc' | did you mean tech?"),
        ("prior: {科技: 0.5}", "7:11 | that is a label: write its term, tech"),
        ("prior: {tech: 60}", "7:17 | tech: '60' is out of bounds | from 0.001 to 0.999"),
        ("prior: {tech: 60%}", "7:17 | tech: '60%' is not a number | 0.001"),
        ("prior: {tech: '0.5'}", "7:17 | tech: '0.5' is not a number | without quotes"),
        ("prior: {tech: }", "7:17 | tech: has no value"),
        ("prior: [tech]", "7:10 | prior: must be keys with values, not a list"),
        ("category: ai\n  prior: {ai: 0.5}", "8:11 | 'ai' is a category of all its entries already | keep one"),
        ("rules: [{any: a}]", "7:11 | the key 'category' is missing"),
        ("rules: [{any: a, category: tehc}]", "7:30 | there is no category 'tehc' | did you mean tech?"),
        ("rules: [{any: a, categry: tech, category: ai}]", "7:20 | unknown key 'categry' | did you mean 'category'?"),
        ("rules: [{none: a, category: ai}]", "7:11 | rules: has neither any nor all"),
    ],
)
def test_wrong_priors_and_rules_of_a_source(tmp_path: Path, more: str, expected: str) -> None:
    found = of_source(tmp_path, f"- name: b\n  url: https://b.example/\n  {more}\n")
    check(found, f"sources.yaml:{expected}")


# ---------------------------------------------------------------------------------------------- values of categories


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("- term: all\n  label: 都\n", "categories.yaml:7:9 | term: 'all' is reserved | all, other, hot"),
        ("- term: Sport\n  label: 体育\n", "categories.yaml:7:9 | term: 'Sport' is not a term | lower-case"),
        ("- term: 体育\n  label: 体育\n", "categories.yaml:7:9 | term: '体育' is not a term"),
        (f"- term: {'a' * 65}\n  label: 体育\n", "categories.yaml:7:9 | is not a term | at most 64"),
        ("- term: on\n  label: 体育\n", "categories.yaml:7:9 | to YAML on is a truth value | quotes"),
        (
            "- term: tech\n  label: 体育\n",
            "categories.yaml:7:9 | the term 'tech' is here a second time, first in line 2",
        ),
        ("- term: b\n", "categories.yaml:7:3 | the key 'label' is missing"),
        ("- term: b\n  label: 全部\n", "categories.yaml:8:10 | the label '全部' is reserved | choose another"),
        ("- term: b\n  label: B\n  labels: {en: Other}\n", "categories.yaml:9:16 | the label 'Other' is reserved"),
        (
            "- term: b\n  label: Caf\u00e9\n- term: c\n  label: Cafe\u0301\n",
            "categories.yaml:10:10 | already leads to the category in line 8",
        ),
        (
            "- term: b\n  label: B\n  rules: [{any: [甲，乙, 丙]}]\n",
            "categories.yaml:9:18 | '甲，乙' is one word | a comma and a blank | leave",
        ),
        ("- term: b\n  label: no\n", "categories.yaml:8:10 | label: to YAML no is a truth value | quotes"),
        (
            "- term: b\n  label: 科技\n",
            "categories.yaml:8:10 | the label '科技' already leads to the category in line 3",
        ),
        ("- term: b\n  label: ai\n", "categories.yaml:8:10 | the label 'ai' already leads to the category in line 4"),
        ("- term: b\n  label: hot\n", "categories.yaml:8:10 | the label 'hot' is reserved"),
        ("- term: b\n  label: a/b\n", "categories.yaml:8:10 | 'a/b' cannot be a label | no slashes"),
        ("- term: b\n  label: ..\n", "categories.yaml:8:10 | '..' cannot be a label"),
        ("- term: b\n  label: B\n  labels: {en: tech}\n", "categories.yaml:9:16 | the label 'tech' already leads to"),
        (
            "- term: b\n  label: B\n  labels: {zh-CN: b}\n",
            "categories.yaml:9:12 | unknown key 'zh-CN' | zh-Hans, zh-Hant, en",
        ),
        ("- term: b\n  label: B\n  labels: b\n", "categories.yaml:9:11 | labels: must be keys with values"),
        ("- term: b\n  label: B\n  parent: tehc\n", "categories.yaml:9:11 | no category 'tehc' | did you mean tech?"),
        ("- term: b\n  label: B\n  parent: 科技\n", "categories.yaml:9:11 | that is a label: write its term, tech"),
        ("- term: b\n  label: B\n  threshold: high\n", "categories.yaml:9:14 | threshold: 'high' is not a number"),
        ("- term: b\n  label: B\n  parent: b\n", "categories.yaml:9:11 | parents go in a circle: b → b"),
        (
            "- {term: b, label: B, parent: c}\n- {term: c, label: C, parent: d}\n- {term: d, label: D, parent: c}\n",
            "categories.yaml:8:31 | parents go in a circle: c → d → c",
        ),
    ],
)
def test_wrong_categories(tmp_path: Path, more: str, expected: str) -> None:
    check(of_category(tmp_path, more), expected)


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ("{any: a}", "9:10 | rules: must be a list, not keys with values | '- '"),
        ("[a]", "9:11 | rules: must be keys with values, not a single value"),
        ("[{none: a}]", "9:11 | rules: has neither any nor all"),
        ("[{any: []}]", "9:11 | rules: has neither any nor all"),
        ("[{anny: a}]", "9:12 | unknown key 'anny' | did you mean 'any'?"),
        ("[{any: ''}]", "9:17 | any: is empty"),
        ("[{any: [a, ' ']}]", "9:21 | any: is empty"),
        ("[{any: [a, no]}]", "9:21 | any: to YAML no is a truth value | 'no'"),
        ("[{all: [a, [b]]}]", "9:21 | all: must be a single value, not a list"),
        ("[{any: '/(/'}]", "9:17 | any: RE2 cannot read the pattern: missing )"),
        ("[{any: '/(?=a)b/'}]", "9:17 | any: RE2 cannot read the pattern | no look-around"),
        ("[{any: '/a*/'}]", "9:17 | any: the pattern hits every text"),
        ("[{any: //}]", "9:17 | any: the pattern hits every text"),
        ("[{any: /a/i}]", "9:17 | any: '/a/i' has a letter after the pattern | (?i)"),
        ("[{any: a, in: titel}]", "9:24 | in: 'titel' is not known here | did you mean title?"),
        ("[{any: a, in: [title, body]}]", "9:32 | in: 'body' is not known here | title or text or url"),
        ("[{any: a, in: []}]", "9:24 | 'in' names no field"),
        ("[{any: {titel: a}}]", "9:18 | unknown key 'titel' | did you mean 'title'?"),
        (
            "[{any: [a, {url: b, x: c}]}]",
            "9:30 | unknown key 'x' | known here: title, text, url, author, source, language",
        ),
        ("[{any: [a, {url: '/(/'}]}]", "9:27 | url: RE2 cannot read the pattern"),
        ("[{all: {url: [a, [b]]}}]", "9:27 | url: must be a single value, not a list"),
        ("[{any: [a, {url: }]}]", "9:27 | url: must be a list, not nothing"),
        ("[{any: [a, {}]}]", "9:21 | any: asks for nothing"),
        ("[{any: a, act: delete}]", "9:25 | act: 'delete' is not known here | add or remove or only"),
        ("[{any: a, act: remov}]", "9:25 | did you mean remove?"),
        ("[{any: a, weight: heavy}]", "9:28 | weight: 'heavy' is not a number | such as 0.5"),
        ("[{any: a, weight: .5}]", "9:28 | weight: '.5' is not a number | such as 0.5"),
        ("[{any: a, weight: -21}]", "9:28 | weight: '-21' is out of bounds | from -20 to 20"),
        ("[{any: a, weight: 1, act: add}]", "9:28 | there are both act and weight"),
        ("[{any: a, category: tech}]", "9:20 | unknown key 'category'"),
    ],
)
def test_wrong_rules(tmp_path: Path, rules: str, expected: str) -> None:
    check(of_category(tmp_path, f"- term: b\n  label: B\n  rules: {rules}\n"), f"categories.yaml:{expected}")


# ---------------------------------------------------------------------------------------------- values of the settings


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("site: {title: no}", "1:15 | title: to YAML no is a truth value"),
        ("site: {base_url: news.example}", "1:18 | base_url: is not a web address"),
        ("site: {base_url: 'https://a.example/?q'}", "1:18 | base_url: has a query"),
        ("site: {language: zh-CN}", "1:18 | language: 'zh-CN' | did you mean zh-Hans?"),
        ("site: {language: zh_TW}", "1:18 | language: 'zh_TW' | did you mean zh-Hant?"),
        ("site: {language: fr}", "1:18 | language: 'fr' is not known here | zh-Hans or zh-Hant or en"),
        ("site: {hosts: ['a.example:80']}", "1:16 | hosts: 'a.example:80' is not a host name"),
        ("listen: 8080", "1:9 | listen: '8080' is not host:port | 127.0.0.1:8080"),
        ("listen: :8080", "1:9 | listen: ':8080' is not host:port | 0.0.0.0:8080"),
        ("listen: localhost", "1:9 | is not host:port"),
        ("listen: localhost:65536", "1:9 | is not host:port"),
        ("listen: ::1:8080", "1:9 | is not host:port | [::1]:8080"),
        ("listen: [::1]:8080", "1:10 | in brackets must stand in quotes"),
        ("data: ~/x", "1:7 | data: '~/x' would be a folder called ~ | ${HOME}"),
        ("data: ~", "1:7 | data: has no value"),
        ("fetch: {deadline: 0s}", "1:19 | deadline: '0s' is too short | 1s"),
        ("fetch: {max_body: 15}", "1:19 | max_body: '15' is not a size | 15MiB"),
        ("fetch: {max_body: 0MB}", "1:19 | is not a size"),
        ("fetch: {max_body: 15mb}", "1:19 | is not a size"),
        ("fetch: {allow_networks: [10.0.0.1/8]}", "1:26 | '10.0.0.1/8' is not a network | did you mean 10.0.0.0/8?"),
        ("fetch: {allow_networks: [lan]}", "1:26 | 'lan' is not a network | 10.0.0.0/8"),
        ("fetch: {concurrency: 0}", "1:22 | concurrency: '0' is out of bounds | from 1"),
        ("fetch: {per_host: two}", "1:19 | per_host: 'two' is not a whole number"),
        ('fetch: {contact: "a\\nb"}', "1:18 | contact: holds a line break"),
        ("poll: {floor: 30ms}", "1:15 | floor: '30ms' is too short"),
        ("poll: {floor: 2d}", "1:15 | poll.floor, 2d, is above poll.ceiling, 24h"),
        ("poll: {ceiling: 10m}", "1:17 | poll.floor, 30m, is above poll.ceiling, 10m"),
        ("publish: {max_age: never}", "1:20 | max_age: 'never' is not a duration"),
        ("store: {keep: 400}", "1:15 | keep: '400' is not a duration"),
        ("log: {level: INFO}", "1:14 | level: 'INFO' is not known here | did you mean info?"),
        ("log: {format: xml}", "1:15 | format: 'xml' is not known here | text or json"),
    ],
)
def test_wrong_settings(tmp_path: Path, text: str, expected: str) -> None:
    check(problems(tmp_path, aggregator=text + "\n"), f"aggregator.yaml:{expected}")


# ---------------------------------------------------------------------------------------------- secrets and rubbish

SECRET = "hunter2-Zq"


def test_a_password_in_the_file_is_never_shown(tmp_path: Path) -> None:
    for value in (
        f"[{SECRET}]",
        f"{{a: {SECRET}}}",
        f"*{SECRET}",
        f"!{SECRET}",
        f"@{SECRET}",
        f"'{SECRET}",
        "0x5EC2E7",
    ):
        found = of_source(tmp_path, f"  username: u\n  password: {value}\n")
        assert found
        assert SECRET not in "".join(found)
        assert "5EC2E7" not in "".join(found)
    assert SECRET not in "".join(of_source(tmp_path, f"- name: b\n  url: https://u:{SECRET}@b.example/\n"))
    assert SECRET not in "".join(of_source(tmp_path, f"- {{name: b, password:{SECRET}}}\n"))
    assert SECRET not in "".join(of_source(tmp_path, f"  headers: {{Host: {SECRET}, X-A: ' {SECRET}'}}\n"))


@pytest.mark.parametrize("secret", [SECRET, f"/({SECRET}/", f" {SECRET}", f"{SECRET}\nx", f"{SECRET}：x", f"“{SECRET}"])
def test_what_a_variable_stands_for_is_never_shown(tmp_path: Path, secret: str) -> None:
    source = "".join(
        f"  {key}: ${{S}}\n"
        for key in (
            "url",
            "category",
            "every",
            "language",
            "timezone",
            "enabled",
            "excerpt",
            "username",
            "password_file",
        )
    )
    found = problems(
        tmp_path,
        sources=f"sources:\n- name: ${{S}}\n{source}  headers: {{'${{S}}': '${{S}}'}}\n- name: ${{S}}\n  url: ${{S}}\n",
        categories="categories:\n- {term: '${S}', label: '${S}', parent: '${S}', rules: [{any: '${S}', in: '${S}'}]}\n"
        "- {term: '${S}', label: '${S}', labels: {en: '${S}'}}\n",
        aggregator="listen: ${S}\ndata: ${S}\nsite: {language: '${S}', hosts: ['${S}'], base_url: '${S}'}\n"
        "fetch: {allow_networks: ['${S}'], max_body: '${S}', concurrency: '${S}'}\nlog: {level: '${S}'}\n",
        environ={"S": secret},
    )
    assert len(found) > 20
    assert SECRET not in "".join(found)


def test_a_configuration_error_shows_no_password_anywhere(tmp_path: Path) -> None:
    (tmp_path / "sources.yaml").write_text(SOURCES + "  password: ${S}\n  username: u\n  every: 1\n", "utf-8")
    (tmp_path / "categories.yaml").write_text(CATEGORIES, "utf-8")
    with pytest.raises(errors.ConfigError) as caught:
        config.load(tmp_path, {"S": SECRET})
    assert caught.value.__cause__ is None
    assert SECRET not in repr(caught.value) + str(caught.value.__context__)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=80) | st.text("ab-:[]{}'\"|>&*!%@#,?~ \n\t：\uff0d\u3000${}/0", max_size=60).map(str.encode))
def test_rubbish_raises_nothing_but_config_errors(tmp_path: Path, rubbish: bytes) -> None:
    problems(tmp_path, sources=rubbish)
    problems(tmp_path, sources=SOURCES.encode() + rubbish)
    problems(tmp_path, aggregator=rubbish)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_damaged_file_raises_nothing_but_config_errors(tmp_path: Path, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(CATEGORIES)))
    end = data.draw(st.integers(start, min(len(CATEGORIES), start + 5)))
    piece = data.draw(st.sampled_from(["", ":", "：", "- ", "\n", "  ", "[", "}", "'", "*a", "&a ", "no", "~", "/(/"]))
    for problem in problems(tmp_path, categories=CATEGORIES[:start] + piece + CATEGORIES[end:]):
        assert problem.startswith(("categories.yaml:", "sources.yaml:"))


def test_names_that_look_the_same_are_the_same(tmp_path: Path) -> None:
    more = "".join(
        f"- name: {name}\n  url: https://{n}.example/\n" for n, name in enumerate(("Caf\u00e9", "Cafe\u0301"))
    )
    check(of_source(tmp_path, more), "sources.yaml:7:9 | is here a second time, first in line 5")


def test_a_comma_in_a_pattern_is_meant(tmp_path: Path) -> None:
    assert of_category(tmp_path, "- term: b\n  label: B\n  rules: [{any: [/甲，乙/]}]\n") == []


@pytest.mark.parametrize("name", ["sources.yaml", "tracking.txt"])
def test_a_pipe_in_place_of_a_file_is_not_waited_for(instance: Instance, name: str) -> None:
    instance.configure([])
    (instance.config / name).unlink(missing_ok=True)
    os.mkfifo(instance.config / name)
    assert f"{name}: cannot be read: " in instance.command("check", code=2, timeout=20).stderr
