"""Who else tells a story, and what is related to it: a block at the end of the text, in the feed's language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple

from aggregator import urls
from aggregator.models import Mention, PublishedEntry


class _Words(NamedTuple):
    coverage: str
    related: str
    between: str  # a source's name and its title


_WORDS: Mapping[str, _Words] = {
    "zh-Hans": _Words("报道来源 {}", "相关", "："),
    "zh-Hant": _Words("報導來源 {}", "相關", "："),
    "en": _Words("Reported by {} sources", "Related", ": "),
}


def text(entry: PublishedEntry, language: str) -> str:
    """The entry's text (HTML): its content, or what stands for it, and whom else it names."""
    return (entry.content or entry.summary or escape(entry.title)) + markup(entry, language)


def markup(entry: PublishedEntry, language: str) -> str:
    """The block of an entry that names others (HTML); nothing for one that names none."""
    words = _WORDS.get(_script(language), _WORDS["en"])
    others = told(entry)
    everybody = (Mention(entry.source_name, entry.title, entry.link), *others) if others else ()
    sources = len({mention.source_name for mention in everybody})
    coverage = _list(words.coverage.format(sources), everybody, words.between)
    return coverage + _list(words.related, entry.related, words.between)


def told(entry: PublishedEntry) -> list[Mention]:
    """Who else tells the story. What a source that is named already says of a page that is named already is left
    out."""
    sources, pages = {entry.source_name}, {_page(entry.link)}
    kept = []
    for mention in entry.coverage:
        if mention.source_name not in sources or _page(mention.link) not in pages:
            kept.append(mention)
        sources.add(mention.source_name)
        pages.add(_page(mention.link))
    return kept


def _page(link: str | None) -> str | None:
    """The page that a link leads to, however its source counts who follows it."""
    return link and (urls.single_page(link) or link)


def mentioned(entry: PublishedEntry) -> list[Mention]:
    """Those that the entry names and that have an address, each address once: its links with rel=related."""
    named = {mention.link: mention for mention in (*told(entry), *entry.related) if mention.link != entry.link}
    return [mention for link, mention in named.items() if link]


def _list(heading: str, mentions: Sequence[Mention], between: str) -> str:
    if not mentions:
        return ""
    items = "".join(f"<li>{_item(mention, between)}</li>" for mention in mentions)
    return f"<p>{heading}</p><ul>{items}</ul>"


def _item(mention: Mention, between: str) -> str:
    title = escape(mention.title or mention.link or "")
    linked = f'<a href="{escape(mention.link)}">{title}</a>' if mention.link else title
    return f"{escape(mention.source_name)}{between}{linked}"


def _script(language: str) -> str:
    """Which of our three languages a language tag means (BCP 47)."""
    parts = language.lower().split("-")
    if parts[0] != "zh":
        return "en"
    return "zh-Hant" if {"hant", "tw", "hk", "mo"} & set(parts) else "zh-Hans"
