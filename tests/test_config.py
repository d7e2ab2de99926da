"""config: what a valid configuration becomes, its JSON Schema, and that docs/configuration.md tells the truth."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from aggregator import config, errors, models
from aggregator.config import scalars

ROOT = Path(__file__).parent.parent

SOURCES = """\
# yaml-language-server: $schema=schema/sources.schema.json
sources:
  - name: 少数派
    url: https://sspai.com/feed
    category: tech
    prior: {ai: 0.25}
    rules:
      - category: tech
        any: [招聘, {url: [/jobs/, '/(?i)hiring/'], source: 少数派}]
        act: remove
      - category: ai
        all: {language: zh}
        weight: -1.5
  - name: "内部公告"
    url: https://intranet.example.com:8443/feed.xml?a=1&b=2
    category: [tech, ai]
    every: 1h30m
    language: zh-Hant
    timezone: Asia/Taipei
    enabled: false
    headers: {X-Api-Key: "${KEY}", Accept-Language: zh}
    username: reader
    password: ${PASSWORD}
    full: false
    excerpt: 120
    formerly: [公告, 旧公告]
"""
CATEGORIES = """\
categories:
  - term: tech
    label: 科技
    labels: {zh-Hans: 科技, en: Technology}
    rules:
      - any: [手机, 360, open source, '/(?i)\\b[0-9]+nm\\b/']
        none: 招聘
        in: title
      - all: [苹果, 发布会]
  - term: ai
    label: 人工智能
    parent: tech
    threshold: 2.25
"""
AGGREGATOR = """\
site:
  title: 我的聚合
  base_url: https://news.example.org/sub/
  language: zh-Hant
  hosts: [News.example.org]
listen: "[::1]:8081"
data: state
fetch:
  allow_networks: [192.168.0.0/16, "fd00::/8", 10.0.0.1]
  deadline: 30s
  max_body: 2MB
  concurrency: 8
  per_host: 1
  host_gap: 0s
  contact: mail@example.org
poll: {floor: 10m, ceiling: 2d}
publish:
  limit: 20
  max_age: 3d
  backfill: 12h
store: {keep: 90d}
log: {level: debug, format: json}
"""
ENVIRON = {"KEY": "k-1", "PASSWORD": "p-1"}


def write(folder: Path, sources: str = SOURCES, categories: str = CATEGORIES, aggregator: str | None = None) -> Path:
    """A configuration folder with these files."""
    folder.mkdir(exist_ok=True)
    (folder / "sources.yaml").write_text(sources, "utf-8")
    (folder / "categories.yaml").write_text(categories, "utf-8")
    if aggregator is not None:
        (folder / "aggregator.yaml").write_text(aggregator, "utf-8")
    return folder


def one_source(tmp_path: Path, keys: str, environ: Mapping[str, str] = ENVIRON) -> models.Source:
    """The source that has these keys beside its name and address."""
    source = f"sources:\n- name: 源\n  url: https://example.com/feed\n{keys}"
    return config.load(write(tmp_path / "config", source), environ).sources[0]


def settings(tmp_path: Path, aggregator: str) -> models.Settings:
    return config.load(write(tmp_path / "config", aggregator=aggregator), ENVIRON).settings


def one_category(tmp_path: Path, keys: str) -> models.Category:
    """The category that has these keys beside its term and label."""
    categories = f"{CATEGORIES}  - term: x\n    label: 其一\n{keys}"
    return config.load(write(tmp_path / "config", categories=categories), ENVIRON).categories[-1]


# ---------------------------------------------------------------------------------------------- what is loaded


def test_every_key_of_a_source_arrives(tmp_path: Path) -> None:
    plain, full = config.load(write(tmp_path / "config"), ENVIRON).sources
    assert plain == models.Source(
        name="少数派",
        url="https://sspai.com/feed",
        categories=("tech",),
        prior={"ai": 0.25},
        rules=(
            models.Rule(
                any=(
                    "招聘",
                    models.Sought("url", "/jobs/"),
                    models.Sought("url", "/(?i)hiring/"),
                    models.Sought("source", "少数派"),
                ),
                act="remove",
                category="tech",
            ),
            models.Rule(all=(models.Sought("language", "zh"),), weight=-1.5, category="ai"),
        ),
    )
    assert full == models.Source(
        name="内部公告",
        url="https://intranet.example.com:8443/feed.xml?a=1&b=2",
        categories=("tech", "ai"),
        every=timedelta(minutes=90),
        language="zh-Hant",
        timezone="Asia/Taipei",
        enabled=False,
        headers={"X-Api-Key": "k-1", "Accept-Language": "zh"},
        username="reader",
        password="p-1",
        full=False,
        excerpt=120,
        formerly=("公告", "旧公告"),
    )


def test_every_key_of_a_category_arrives(tmp_path: Path) -> None:
    tech, ai = config.load(write(tmp_path / "config"), ENVIRON).categories
    assert tech == models.Category(
        term="tech",
        label="科技",
        labels={"zh-Hans": "科技", "en": "Technology"},
        rules=(
            models.Rule(any=("手机", "360", "open source", r"/(?i)\b[0-9]+nm\b/"), none=("招聘",), fields=("title",)),
            models.Rule(all=("苹果", "发布会")),
        ),
    )
    assert ai == models.Category(term="ai", label="人工智能", parent="tech", threshold=2.25)


def test_a_threshold_of_none_is_one_that_no_score_reaches(tmp_path: Path) -> None:
    assert one_category(tmp_path, "    threshold: none\n").threshold == math.inf
    assert one_category(tmp_path, "").threshold is None


@pytest.mark.parametrize(("typed", "value"), [("2", 2.0), ("-0.5", -0.5), ("+1.25", 1.25), ("0", 0.0), ("20", 20.0)])
def test_numbers_with_and_without_decimals(tmp_path: Path, typed: str, value: float) -> None:
    assert one_category(tmp_path, f"    rules: [{{any: 甲, weight: {typed}}}]\n").rules[0].weight == value


def test_every_key_of_the_settings_arrives(tmp_path: Path) -> None:
    loaded = config.load(write(tmp_path / "config", aggregator=AGGREGATOR), ENVIRON).settings
    assert loaded == models.Settings(
        site=models.SiteSettings("我的聚合", "https://news.example.org/sub", "zh-Hant", ("news.example.org",)),
        listen_host="::1",
        listen_port=8081,
        data=tmp_path / "state",
        fetch=models.FetchSettings(
            allow_networks=(ip_network("192.168.0.0/16"), ip_network("fd00::/8"), ip_network("10.0.0.1")),
            deadline=timedelta(seconds=30),
            max_body=2_000_000,
            concurrency=8,
            per_host=1,
            host_gap=timedelta(0),
            contact="mail@example.org",
        ),
        poll=models.PollSettings(timedelta(minutes=10), timedelta(days=2)),
        publish=models.PublishSettings(20, timedelta(days=3), timedelta(hours=12)),
        keep=timedelta(days=90),
        log_level="debug",
        log_format="json",
    )


@pytest.mark.parametrize(
    "aggregator",
    [None, "", "# all left out\n", "site:\nfetch:\npoll:\npublish:\nstore:\nlog:\n", "---\n", "{}\n", "fetch: {}\n"],
)
def test_what_is_left_out_of_the_settings_has_its_default(tmp_path: Path, aggregator: str | None) -> None:
    loaded = config.load(write(tmp_path / "config", aggregator=aggregator), ENVIRON)
    assert loaded.settings == models.Settings(data=tmp_path / "data")
    assert loaded.folder == tmp_path / "config"


def test_a_relative_data_folder_counts_from_the_configurations_parent(tmp_path: Path) -> None:
    assert settings(tmp_path, "data: a/b\n").data == tmp_path / "a" / "b"
    assert settings(tmp_path, "data: /var/lib/x\n").data == Path("/var/lib/x")


def test_a_given_data_folder_counts_from_the_current_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "config", aggregator="data: a\n")
    assert config.load(Path("config"), ENVIRON).settings.data == tmp_path / "a"
    assert config.load(Path("config"), ENVIRON, Path("mine")).settings.data == tmp_path / "mine"


def test_an_empty_list_of_sources_is_a_configuration(tmp_path: Path) -> None:
    assert config.load(write(tmp_path / "config", "sources: []\n"), {}).sources == ()


def test_a_file_may_have_a_byte_order_mark_and_crlf(tmp_path: Path) -> None:
    folder = write(tmp_path / "config")
    for name in ("sources", "categories"):
        path = folder / f"{name}.yaml"
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert config.load(folder, ENVIRON) == config.load(write(tmp_path / "config"), ENVIRON)


def test_an_alias_stands_for_its_anchor(tmp_path: Path) -> None:
    sources = """\
sources:
- {name: a, url: https://a.example/, headers: &h {X-A: b}}
- {name: b, url: https://b.example/, headers: *h}
"""
    loaded = config.load(write(tmp_path / "config", sources), {})
    assert [source.headers for source in loaded.sources] == [{"X-A": "b"}] * 2


def test_the_editors_tracking_parameters_are_handed_on(tmp_path: Path) -> None:
    folder = write(tmp_path / "config")
    assert config.load(folder, ENVIRON).tracking == ""
    (folder / "tracking.txt").write_text("example.com drop from_x\n", "utf-8")
    assert config.load(folder, ENVIRON).tracking == "example.com drop from_x\n"


def test_the_editors_names_are_handed_on(tmp_path: Path) -> None:
    folder = write(tmp_path / "config")
    assert config.load(folder, ENVIRON).aliases == ""
    (folder / "aliases.txt").write_text("[people]\n张大明, 張大明\n", "utf-8")
    assert config.load(folder, ENVIRON).aliases == "[people]\n张大明, 張大明\n"


def test_ten_thousand_sources_are_read_in_seconds(tmp_path: Path) -> None:
    one = "- name: 源{0}\n  url: https://example.com/{0}/feed.xml\n  category: [tech, ai]\n  every: 30m\n  full: true\n"
    folder = write(tmp_path / "config", "sources:\n" + "".join(one.format(n) for n in range(10_000)))

    def seconds() -> float:
        start = time.process_time()
        assert len(config.load(folder, {}).sources) == 10_000
        return time.process_time() - start

    assert any(seconds() < 3 for _ in range(3))  # on a busy machine a single figure says little


# ---------------------------------------------------------------------------------------------- texts and variables


@pytest.mark.parametrize(
    "typed", ["360", "1.10", "-5", "+86", "'no'", '"12:30"', "2026年", "1024程序员", "5G", "y", "norway"]
)
def test_a_text_is_taken_as_typed(tmp_path: Path, typed: str) -> None:
    folder = write(tmp_path / "config", f"sources:\n- name: {typed}\n  url: https://example.com/\n")
    assert config.load(folder, {}).sources[0].name == typed.strip("'\"")


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("${A}", "x"),
        ("a${A}b${B}", "axb${A}"),
        ("$${A}", "${A}"),
        ("$A and $ and $$", "$A and $ and $$"),
        ("'${A}'", "x"),
        ("${EMPTY}z", "z"),
    ],
)
def test_variables_are_filled_in_once(tmp_path: Path, typed: str, value: str) -> None:
    environ = {"A": "x", "B": "${A}", "EMPTY": ""}
    folder = write(tmp_path / "config", f"sources:\n- name: {typed}\n  url: https://example.com/\n")
    assert config.load(folder, environ).sources[0].name == value


def test_what_a_variable_holds_is_text_even_if_it_looks_like_something_else(tmp_path: Path) -> None:
    assert one_source(tmp_path, "  headers: {X-A: '${X}'}\n", {"X": "no"}).headers == {"X-A": "no"}
    assert one_source(tmp_path, "  every: ${X}\n", {"X": "2h"}).every == timedelta(hours=2)


def test_the_password_is_the_first_line_of_its_file(tmp_path: Path) -> None:
    write(tmp_path / "config")
    (tmp_path / "config" / "secret").write_text("p 1#\r\nnot this\n", "utf-8")
    (tmp_path / "elsewhere").write_text("p-2", "utf-8")
    assert one_source(tmp_path, "  username: u\n  password_file: secret\n").password == "p 1#"
    assert one_source(tmp_path, f"  username: u\n  password_file: {tmp_path}/elsewhere\n").password == "p-2"


# ---------------------------------------------------------------------------------------------- single kinds of values


@pytest.mark.parametrize(
    ("typed", "seconds"),
    [
        ("1s", 1),
        ("1m", 60),
        ("90s", 90),
        ("30m", 1800),
        ("6h", 21_600),
        ("1d", 86_400),
        ("1h30m", 5400),
        ("1d2h3m4s", 93_784),
    ],
)
def test_durations(tmp_path: Path, typed: str, seconds: int) -> None:
    assert one_source(tmp_path, f"  every: {typed}\n").every == timedelta(seconds=seconds)


def test_a_gap_may_be_nothing_or_less_than_a_second(tmp_path: Path) -> None:
    for typed, seconds in (("0", 0), ("0s", 0), ("250ms", 0.25)):
        assert settings(tmp_path, f"fetch:\n  host_gap: {typed}\n").fetch.host_gap == timedelta(seconds=seconds)


@given(st.integers(0, 36_500 * 86_400_000))
def test_a_duration_reads_back_as_it_is_written(milliseconds: int) -> None:
    value = timedelta(milliseconds=milliseconds)
    assert scalars.duration(scalars.plain(scalars.duration_text(value)), scalars.Context(Path(), {})) == value


@given(st.integers(1, 2**40))
def test_a_size_reads_back_as_it_is_written(size: int) -> None:
    assert scalars.size(scalars.plain(scalars.size_text(size)), scalars.Context(Path(), {})) == size


@pytest.mark.parametrize(
    ("typed", "size"),
    [("15MiB", 15 * 2**20), ("500KiB", 512_000), ("2MB", 2_000_000), ("1GB", 10**9), ("1GiB", 2**30), ("7B", 7)],
)
def test_sizes(tmp_path: Path, typed: str, size: int) -> None:
    assert settings(tmp_path, f"fetch: {{max_body: {typed}}}\n").fetch.max_body == size


@pytest.mark.parametrize(
    ("typed", "host", "port"),
    [
        ("0.0.0.0:80", "0.0.0.0", 80),
        ("localhost:0", "localhost", 0),
        ("'[::1]:8080'", "::1", 8080),
        ("'[::]:65535'", "::", 65_535),
    ],
)
def test_listening_addresses(tmp_path: Path, typed: str, host: str, port: int) -> None:
    loaded = settings(tmp_path, f"listen: {typed}\n")
    assert (loaded.listen_host, loaded.listen_port) == (host, port)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com",
        "HTTPS://Example.com/Feed",
        "https://例子.中国/订阅?分类=科技",
        "https://example.com:8443/a@b/feed?x=1&y=${K}#f",
        "http://127.0.0.1:8000/feed",
        "http://[::1]:8000/feed",
        "http://localhost/feed",
        "https://a_b.example.com./feed",
    ],
)
def test_web_addresses(tmp_path: Path, url: str) -> None:
    folder = write(tmp_path / "config", f"sources:\n- name: a\n  url: {url}\n")
    assert config.load(folder, {"K": "v"}).sources[0].url == url.replace("${K}", "v")


@pytest.mark.parametrize("tag", ["zh", "zh-Hans", "zh-Hant-TW", "en-US", "yue", "sr-Latn-RS", "de-CH-1996", "'no'"])
def test_language_tags(tmp_path: Path, tag: str) -> None:
    assert one_source(tmp_path, f"  language: {tag}\n").language == tag.strip("'")


@pytest.mark.parametrize("name", ["Asia/Shanghai", "UTC", "Etc/GMT-8", "America/Argentina/Buenos_Aires"])
def test_time_zones(tmp_path: Path, name: str) -> None:
    assert one_source(tmp_path, f"  timezone: {name}\n").timezone == name


def test_one_value_is_a_list_of_one(tmp_path: Path) -> None:
    assert one_source(tmp_path, "  category: ai\n  formerly: 旧\n").categories == ("ai",)
    assert one_source(tmp_path, "  category: [ai, tech, ai]\n  formerly: 旧\n").categories == ("ai", "tech")
    assert one_source(tmp_path, "  formerly: 旧\n").formerly == ("旧",)
    assert one_category(tmp_path, "    rules: [{any: 甲, in: [url, source]}]\n").rules == (
        models.Rule(any=("甲",), fields=("url", "source")),
    )


@pytest.mark.parametrize(
    "item", ["/", "/r/programming", "a/b", "'C#'", "/中.国/", "'/^https?://[^/]*/sports//'", "12306"]
)
def test_words_and_patterns_are_kept_as_written(tmp_path: Path, item: str) -> None:
    rules = one_category(tmp_path, f"    rules:\n    - any: {item}\n").rules
    assert rules[0].any == (item.strip("'"),)


def test_a_label_may_be_like_a_term_or_label_of_the_same_category(tmp_path: Path) -> None:
    assert one_category(tmp_path, "    labels: {zh-Hans: 其一, en: x}\n").labels == {"zh-Hans": "其一", "en": "x"}


# ---------------------------------------------------------------------------------------------- JSON Schema


def valid(name: str, text: str) -> bool:
    """Whether an editor's validation accepts the file."""
    schema = config.schemas()[name]
    return jsonschema.Draft202012Validator(schema).is_valid(yaml.safe_load(text))


def loads(folder: Path, files: Mapping[str, str]) -> bool:
    try:
        config.load(write(folder, **files), ENVIRON)
    except errors.ConfigError:
        return False
    return True


@pytest.mark.parametrize("name", ["sources", "categories", "aggregator"])
def test_each_schema_is_json_schema_2020_12_and_describes_every_key(name: str) -> None:
    schema = config.schemas()[name]
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    for shape in (schema, *schema.get("$defs", {}).values()):
        assert shape["additionalProperties"] is False
        assert all("$ref" in key or len(key["description"]) > 10 for key in shape["properties"].values())
        assert shape["description"]


def test_the_schemas_accept_what_load_accepts(tmp_path: Path) -> None:
    assert loads(tmp_path / "config", {"sources": SOURCES, "categories": CATEGORIES, "aggregator": AGGREGATOR})
    assert valid("sources", SOURCES)
    assert valid("categories", CATEGORIES)
    assert valid("aggregator", AGGREGATOR)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("sources", "sources: [{name: a, url: 'https://x.example/', every: '${E}', password: 5, username: 6}]"),
        ("sources", "sources: [{name: 5, url: '${U}', language: '${L}', timezone: '${T}', category: ['${C}']}]"),
        ("sources", "sources: [{name: a, url: 'http://[::1]:80', headers: {X-A: 1, x-b: y}, formerly: [1, b]}]"),
        ("categories", "categories: [{term: 5, label: 5, labels: , rules: [{all: [5, a], in: ['${F}']}]}]"),
        ("categories", "categories: [{term: a, label: b, rules: [{any: {title: [5, a], url: b}, act: '${A}'}]}]"),
        ("categories", "categories: [{term: a, label: b, threshold: none, rules: [{any: [5, {url: 6}], weight: 2}]}]"),
        ("aggregator", "site:\nlisten: '${HOST}:80'\nlog: {level: '${LEVEL}'}\nfetch: {max_body: '${SIZE}'}"),
        ("aggregator", "publish: {max_age: none}\nsite: {base_url: ''}\nfetch: {contact: ''}"),
    ],
)
def test_a_schema_accepts_variables_numbers_and_blank_sections(name: str, text: str) -> None:
    assert valid(name, text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("sources", ""),
        ("sources", "sources: {name: a}"),
        ("sources", "sources: [{name: a}]"),
        ("sources", "sources: [{name: a, url: 'ftp://a.example/'}]"),
        ("sources", "sources: [{name: a, url: 'https://u:p@a.example/'}]"),
        ("sources", "sources: [{name: a, url: 'https://a.example/', evry: 30m}]"),
        ("sources", "sources: [{name: a, url: 'https://a.example/', every: 30}]"),
        ("sources", "sources: [{name: a, url: 'https://a.example/', every: '12:30'}]"),
        ("sources", "sources: [{name: a, url: 'https://a.example/', every: ''}]"),
        ("sources", "sources: [{name: a, url: 'https://a.example/', enabled: 'yes'}]"),
        ("sources", "sources: [{name: a, url: 'https://a.example/', excerpt: 0}]"),
        ("sources", "sources: [{name: a, url: 'https://a.example/', password: x}]"),
        ("sources", "sources: [{name: a, url: 'https://a.example/', headers: {host: x}}]"),
        ("sources", "sources: [{name: a, url: 'https://a.example/', language: zh_CN}]"),
        ("categories", "categories: [{term: all, label: x}]"),
        ("categories", "categories: [{term: 科技, label: x}]"),
        ("categories", "categories: [{term: a, label: a/b}]"),
        ("categories", "categories: [{term: a, label: b, rules: [{none: c}]}]"),
        ("categories", "categories: [{term: a, label: b, rules: [{any: c, in: body}]}]"),
        ("categories", "categories: [{term: a, label: b, labels: {fr: c}}]"),
        ("categories", "categories: [{term: a, label: b, threshold: often}]"),
        ("categories", "categories: [{term: a, label: b, rules: [{any: c, act: drop}]}]"),
        ("categories", "categories: [{term: a, label: b, rules: [{any: c, weight: 99}]}]"),
        ("categories", "categories: [{term: a, label: b, rules: [{any: c, weight: 1, act: add}]}]"),
        ("categories", "categories: [{term: a, label: b, rules: [{any: {body: c}}]}]"),
        ("categories", "categories: [{term: a, label: b, rules: [{any: [{}]}]}]"),
        ("categories", "categories: [{term: a, label: b, rules: [{any: c, category: a}]}]"),
        ("sources", "sources: [{name: a, url: 'https://a.example/', prior: {tech: 1}}]"),
        ("sources", "sources: [{name: a, url: 'https://a.example/', prior: tech}]"),
        ("sources", "sources: [{name: a, url: 'https://a.example/', rules: [{any: c}]}]"),
        ("aggregator", "listen: 8080"),
        ("aggregator", "site: {language: fr}"),
        ("aggregator", "fetch: {max_body: 15}"),
        ("aggregator", "fetch: {concurrency: 0}"),
        ("aggregator", "publish: {limit: many}"),
        ("aggregator", "poll: {floor: 1 hour}"),
        ("aggregator", "log: {format: yaml}"),
        ("aggregator", "sources: []"),
    ],
)
def test_schema_and_load_refuse_the_same_mistakes(tmp_path: Path, name: str, text: str) -> None:
    assert not valid(name, text)
    assert not loads(tmp_path / "config", {name: text})


# ---------------------------------------------------------------------------------------------- docs/configuration.md

DOCS = (ROOT / "docs" / "configuration.md").read_text("utf-8")


def documented() -> dict[str, tuple[str, str]]:
    """Default and example of each key in the docs' tables: `key` or `section.key`, prefixed with its place."""
    found: dict[str, tuple[str, str]] = {}
    places = {
        "Each source:": "source",
        "Each category:": "category",
        "Keys of `labels`:": "labels",
        "Keys of a rule:": "rule",
        "Keys of a rule of a source, besides:": "rule of a source",
        "## aggregator.yaml": "aggregator",
    }
    place = ""
    for line in DOCS.splitlines():
        place = next((there for words, there in places.items() if line.endswith(words)), place)
        if row := re.fullmatch(r"\| `([\w.-]+)` \| (.+?) \| (.+?) \| `(.+?)` \| (.+?) \|", line):
            found[f"{place} {row[1]}"] = (row[3].strip("`"), row[4])
    return found


def existing() -> Iterator[tuple[str, str]]:
    """Each key as the docs should name it, with its default as the docs should write it."""
    schemas = config.schemas()
    yield from keys("source", schemas["sources"]["$defs"]["SourceShape"])
    yield from keys("category", schemas["categories"]["$defs"]["CategoryShape"])
    yield from keys("labels", schemas["categories"]["$defs"]["LabelsShape"])
    yield from keys("rule", schemas["categories"]["$defs"]["RuleShape"])
    rule_of_a_source = dict(keys("rule of a source", schemas["sources"]["$defs"]["SourceRuleShape"]))
    yield "rule of a source category", rule_of_a_source["rule of a source category"]
    for key, schema in schemas["aggregator"]["properties"].items():
        if "$ref" in schema:
            section = schemas["aggregator"]["$defs"][schema["$ref"].rpartition("/")[2]]
            yield from ((f"aggregator {key}.{name.strip()}", default) for name, default in keys("", section))
        else:
            yield f"aggregator {key}", as_documented(schema["default"])


def keys(place: str, shape: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for key, schema in shape["properties"].items():
        required = key in shape.get("required", ())
        yield f"{place} {key}", "required" if required else as_documented(schema.get("default", "-"))


def as_documented(default: object) -> str:
    if isinstance(default, list):
        return f"[{', '.join(default)}]"
    return {"": '""', "True": "true", "False": "false"}.get(str(default), str(default))


def test_the_docs_have_every_key_and_its_default() -> None:
    assert {key: default for key, (default, _) in documented().items()} == dict(existing())


@pytest.mark.parametrize("key", sorted(documented()))
def test_each_example_of_the_docs_is_valid(tmp_path: Path, key: str) -> None:
    place, _, name = key.rpartition(" ")
    folder = write(tmp_path / "config", **file_with(place, name, documented()[key][1]))
    (folder / "secrets").mkdir()
    (folder / "secrets" / "intranet").write_text("c\n", "utf-8")
    config.load(folder, {"KEY": "a", "PASSWORD": "b", "INTRANET_PASSWORD": "c"})


def file_with(place: str, name: str, example: str) -> dict[str, str]:
    """The file in which the key `name` has the value `example`, with what else must be there."""
    if place == "source":
        partner = {"username": "password", "password": "username", "password_file": "username"}.get(name)
        others = {partner: "x"} if partner else {}
        source = {"name": "a", "url": "https://a.example/"} | others | {name: example}
        return {
            "sources": "sources:\n" + item(source),
            "categories": f"{CATEGORIES}  - {{term: finance, label: 财经}}\n",
        }
    if place == "rule of a source":
        source = {"name": "a", "url": "https://a.example/", "rules": f"[{{any: 甲, {name}: {example}}}]"}
        return {"sources": "sources:\n" + item(source)}
    if place == "aggregator":
        section, _, inner = name.rpartition(".")
        return {"aggregator": f"{section}:\n  {inner}: {example}\n" if section else f"{name}: {example}\n"}
    if place == "labels":
        name, example = "labels", f"{{{name}: {example}}}"
    if place == "rule":
        name, example = "rules", f"[{{any: 甲, {name}: {example}}}]" if name != "any" else f"[{{any: {example}}}]"
    tech, ai, other = ({"term": term, "label": term} for term in ("tech", "ai", "y"))
    return {"categories": "categories:\n" + "".join(map(item, (tech, ai, other | {name: example})))}


def item(keys: Mapping[str, str]) -> str:
    return "- " + "\n  ".join(f"{key}: {value}" for key, value in keys.items()) + "\n"


@pytest.mark.parametrize("rule", re.findall(r"^\| `(\{(?:any|all).*\})` \|", DOCS, re.MULTILINE))
def test_each_rule_of_the_docs_is_valid(tmp_path: Path, rule: str) -> None:
    assert one_category(tmp_path, f"    rules:\n    - {rule}\n").rules


def test_the_files_of_the_docs_are_valid_and_their_schemas_agree(tmp_path: Path) -> None:
    sources, categories, aggregator = re.findall(r"^```yaml\n(.*?)^```", DOCS, re.MULTILINE | re.DOTALL)
    finance = categories + "  - {term: finance, label: 财经}\n"
    loaded = config.load(write(tmp_path / "config", sources, finance, aggregator), {"INTRANET_PASSWORD": "x"})
    assert len(loaded.sources) == 3
    for name, text in (("sources", sources), ("categories", finance), ("aggregator", aggregator)):
        assert valid(name, text)
