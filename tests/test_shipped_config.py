"""The configuration that ships in config/: complete, valid, and with evidence for every address."""

from __future__ import annotations

import html
import re
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from aggregator import config, models, text
from aggregator.categorize import rules

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "config"
CORPUS = ROOT.parent / "shared" / "corpus"

# Where a document of the corpus names a feed: an outline of an OPML list, or a feed's own address.
ADDRESS = re.compile(r"""(?:\bxmlUrl=|\bhref=|"feed_url":\s*)["']([^"']+)""")

LABELS = {
    "tech": "科技",
    "ai": "人工智能",
    "chips": "芯片",
    "finance": "财经",
    "world": "国际",
    "politics": "时政",
    "society": "社会",
    "sports": "体育",
    "entertainment": "娱乐",
    "games": "游戏",
    "autos": "汽车",
    "military": "军事",
    "education": "教育",
    "health-life": "健康",
    "science": "科学",
    "travel": "旅游",
    "property": "房产",
    "culture": "文化",
    "agriculture": "农业",
    "fashion": "时尚",
}


@pytest.fixture(scope="module")
def shipped() -> models.Config:
    return config.load(FOLDER, {})


@pytest.fixture(scope="module")
def rulebook(shipped: models.Config) -> rules.Rulebook:
    return rules.of_categories(shipped.categories)


def filed(rulebook: rules.Rulebook, title: str) -> set[str]:
    """The terms that the rules alone give to an entry of this title."""
    subject = rules.Subject(plain={"title": title}, folded={"title": text.fold(title)})
    return {hit.term for hit in rulebook.hits(subject)}


def evidence_table() -> dict[str, tuple[str, str, str, str]]:
    """The rows of docs/sources.md: address, category, language and evidence by name."""
    rows = re.findall(
        r"^\| (?!name)([^|]+) \| (\S+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", _sources_page(), re.MULTILINE
    )
    return {name: (url, category, language, evidence) for name, url, category, language, evidence in rows}


def _sources_page() -> str:
    return (ROOT / "docs" / "sources.md").read_text(encoding="utf-8")


def test_every_category_is_there_with_its_label(shipped: models.Config) -> None:
    assert {category.term: category.label for category in shipped.categories} == LABELS


def test_every_category_has_a_label_in_three_languages(shipped: models.Config) -> None:
    assert all(set(category.labels) == {"zh-Hans", "zh-Hant", "en"} for category in shipped.categories)


def test_ai_and_chips_are_under_tech(shipped: models.Config) -> None:
    parents = {category.term: category.parent for category in shipped.categories if category.parent}
    assert parents == {"ai": "tech", "chips": "tech"}


def test_every_category_can_be_filled_by_rules(shipped: models.Config) -> None:
    assert [category.term for category in shipped.categories if not category.rules] == []


def test_rules_look_at_titles_only(shipped: models.Config) -> None:
    fields = {rule.fields for category in shipped.categories for rule in category.rules}
    assert fields == {("title",)}


def test_no_rule_repeats_a_word(shipped: models.Config) -> None:
    for category in shipped.categories:
        for rule in category.rules:
            words = Counter(rule.any + rule.all + rule.none)
            assert [word for word, times in words.items() if times > 1] == [], category.term


def test_there_are_at_least_sixty_sources_in_three_languages(shipped: models.Config) -> None:
    languages = Counter(source.language for source in shipped.sources)
    assert languages.total() >= 60
    assert set(languages) == {"zh-Hans", "zh-Hant", "en"}
    assert min(languages.values()) >= 9


def test_every_source_is_enabled_and_has_an_address_of_its_own(shipped: models.Config) -> None:
    assert all(source.enabled for source in shipped.sources)
    addresses = Counter(urlsplit(source.url)._replace(scheme="").geturl() for source in shipped.sources)
    assert [address for address, times in addresses.items() if times > 1] == []


def test_every_source_is_in_the_evidence_table_as_configured(shipped: models.Config) -> None:
    table = {name: row[:3] for name, row in evidence_table().items()}
    assert table == {
        source.name: (source.url, ", ".join(source.categories) or "by rules", source.language)
        for source in shipped.sources
    }


def test_every_evidence_is_an_opml_list_or_a_self_link() -> None:
    kinds = re.compile(r"(OPML list, |self link, document in )[\w.-]+/[\w.-]+")
    assert [name for name, row in evidence_table().items() if not kinds.match(row[3])] == []


def test_the_settings_are_the_defaults(shipped: models.Config) -> None:
    defaults = models.Settings()
    assert {name: getattr(shipped.settings, name) for name in defaults.__dataclass_fields__ if name != "data"} == {
        name: getattr(defaults, name) for name in defaults.__dataclass_fields__ if name != "data"
    }
    assert shipped.settings.data == ROOT / "data"


def test_aggregator_yaml_names_no_category_and_no_source(shipped: models.Config) -> None:
    settings = yaml.safe_load((FOLDER / "aggregator.yaml").read_text(encoding="utf-8"))
    assert set(settings) == {"site", "listen", "data", "fetch", "poll", "publish", "store", "log"}


@pytest.mark.parametrize("name", ["sources", "categories", "aggregator"])
def test_the_first_line_names_the_schema(name: str) -> None:
    first = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8").splitlines()[0]
    assert first == f"# yaml-language-server: $schema=schema/{name}.schema.json"


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus is not beside this checkout")
def test_every_address_stands_in_the_corpus(shipped: models.Config) -> None:
    documents = [*(CORPUS / "opml").glob("*.opml"), *(CORPUS / "feeds" / "real").rglob("*.*")]
    texts = (path.read_text(encoding="utf-8", errors="replace") for path in documents if path.is_file())
    named = {html.unescape(address) for document in texts for address in ADDRESS.findall(document)}
    assert [source.url for source in shipped.sources if source.url not in named] == []


@pytest.mark.parametrize(
    ("title", "terms"),
    [
        ("台积电宣布扩建晶圆厂", {"chips"}),
        ("晶片大廠擴產，半導體設備商受惠", {"chips"}),
        ("TSMC to build a second fab", {"chips"}),
        ("用 ChatGPT 写周报靠谱吗", {"ai"}),
        ("國產大模型開放原始碼", {"ai"}),
        ("新款 iPhone 下周开售", {"tech"}),
        ("央行宣布降准", {"finance"}),
        ("解放軍在東海舉行軍演", {"military"}),
        ("國足主場輸球，球迷失望", {"sports"}),
        ("今年高考报名人数公布", {"education"}),
        ("Astronomers find a nearby exoplanet", {"science"}),
    ],
)
def test_a_plain_case_is_filed(rulebook: rules.Rulebook, title: str, terms: set[str]) -> None:
    assert filed(rulebook, title) == terms


@pytest.mark.parametrize(
    "title",
    [
        "土豆芯片的三种做法",
        "给宠物植入芯片要多少钱",
        "有效提高通行效率",
        "他的发言其中超过一半是闲话",
        "西湖人家的一天",
        "全球员工满意度调查",
        "本科室今日停诊",
        "应对舆论的正确思考生成于日常",
        "临港新片区揭牌",
        "稍微软一点的床垫",
        "艺术家在中央行政楼前合影",
        "Ai Weiwei opens a show",
        "Said the maid: rain again",
        "四川普降大雨",
        "韩国瑜伽老师来访",
        "携手游遍江南",
        "冠军演讲全文",
    ],
)
def test_a_false_friend_is_not_filed(rulebook: rules.Rulebook, title: str) -> None:
    assert filed(rulebook, title) == set()
