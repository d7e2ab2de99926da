"""The page that lists the feeds, in three languages, and the labels that go with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

import jinja2

from aggregator.models import OWN_LABELS, Category, SiteSettings

LANGUAGES = ("zh-Hans", "zh-Hant", "en")

_WORDS: Mapping[str, Mapping[str, str]] = {
    "zh-Hans": {
        "subscribe": "把地址复制到您的阅读器里订阅。",
        "copy_address": "复制地址",
        "copied": "已复制",
        "all_at_once": "一次导入全部（OPML）",
        "other_languages": "其他语言",
    },
    "zh-Hant": {
        "subscribe": "把網址複製到您的閱讀器裡訂閱。",
        "copy_address": "複製網址",
        "copied": "已複製",
        "all_at_once": "一次匯入全部（OPML）",
        "other_languages": "其他語言",
    },
    "en": {
        "subscribe": "Copy an address into the feed reader that you already have.",
        "copy_address": "Copy address",
        "copied": "Copied",
        "all_at_once": "Import all at once (OPML)",
        "other_languages": "Other languages",
    },
}

_NAMES = {"zh-Hans": "简体中文", "zh-Hant": "繁體中文", "en": "English"}


def label(term: str, categories: Mapping[str, Category], language: str) -> str:
    """What a term is called in a language: the category's label in it, or its label."""
    if term in OWN_LABELS:
        return OWN_LABELS[term].get(language, OWN_LABELS[term]["en"])
    category = categories[term]
    return category.labels.get(language) or category.label


def pages(site: SiteSettings, categories: Sequence[Category]) -> dict[str, bytes]:
    """The front page in each language (`index.<language>.html`), and in the site's own as `index.html`."""
    rendered = {language: _page(site, categories, language) for language in LANGUAGES}
    named = {f"index.{language}.html": content for language, content in rendered.items()}
    return {"index.html": rendered.get(site.language, rendered["zh-Hans"]), **named}


def _page(site: SiteSettings, categories: Sequence[Category], language: str) -> bytes:
    by_term = {category.term: category for category in categories}
    order = _tree_order(categories)
    feeds = [
        {"term": term, "label": label(term, by_term, language), "depth": depth}
        for term, depth in [*order, ("all", 0), ("other", 0)]
    ]
    html = _template().render(
        title=site.title,
        language=language,
        languages=[(tag, _NAMES[tag]) for tag in LANGUAGES],
        words=_WORDS[language],
        feeds=feeds,
        root=f"{site.base_url}/" if site.base_url else "",
    )
    return html.encode()


def _tree_order(categories: Sequence[Category]) -> list[tuple[str, int]]:
    """Terms with their depth: each category in the file's order, its children right behind it."""

    def below(parent: str | None, depth: int) -> list[tuple[str, int]]:
        found = []
        for category in categories:
            if category.parent == parent:
                found += [(category.term, depth), *below(category.term, depth + 1)]
        return found

    return below(None, 0)


@cache
def _template() -> jinja2.Template:
    source = files("aggregator").joinpath("templates/index.html").read_text("utf-8")
    return jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(source)
