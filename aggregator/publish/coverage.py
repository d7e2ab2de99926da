"""Who else tells a story, and what is related to it: a block at the end of the text, in the feed's language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple

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
    told = (Mention(entry.source_name, entry.title, entry.link), *entry.coverage) if entry.coverage else ()
    coverage = _list(words.coverage.format(len(told)), told, words.between)
    return coverage + _list(words.related, entry.related, words.between)


def mentioned(entry: PublishedEntry) -> list[Mention]:
    """Those that the entry names and that have an address, each address once: its links with rel=related."""
    named = {mention.link: mention for mention in (*entry.coverage, *entry.related) if mention.link != entry.link}
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
