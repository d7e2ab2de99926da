"""The stored trace of an entry → sentences. Pure: what is stored are codes and references, sentences are made here.

`store.reports.trace` says what a trace holds. A code that has no sentence is shown as it stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from aggregator import stories
from aggregator.models import OWN_TERMS, Category, PublishSettings

Trace = Mapping[str, Any]

_REPAIRS: Mapping[str, str] = {
    "document:mended": "Its document was not well-formed and was mended before it was read.",
    "id:link": "Its id is its link: the feed gives it no id of its own, or one that stands for other entries too.",
    "id:made": "Its id was made of its title, link and date: nothing that the feed gives names this entry alone.",
    "link:guid": "Its link is its guid: the feed gives it no link.",
    "link:none": "It has no link: the feed gives it none that is usable.",
    "date:first_seen": "Its date is the time of that poll: the feed gives it none.",
    "date:clamped": "Its date lay in the future and was set to the time of that poll.",
    "date:unreadable": "Its feed gives it a date that cannot be read.",
}

# Repairs with a value behind the colon, for what the table above does not name.
_REPAIRS_WITH_VALUE: Mapping[str, str] = {
    "encoding": "Its document was decoded as {}, not as UTF-8.",
    "link": "Its link is the one that the feed gives as “{}”: it has no ordinary one.",
}

_VOICES = ("editor", "source", "rule", "lexicon")  # in the order in which they are heard

# How a rule of one category keeps an entry out of another.
_EFFECTS: Mapping[str, str] = {
    "only": "and files under {} only",
    "above": "and keeps out of all below {} too",
}

_SAME_PAGE: Mapping[str, str] = {
    "link": "both link to the same page",
    "link+title": "both link to the same page and have the same title",
}

_TELLS: Mapping[str, str] = {
    "same_text": "is a copy of",
    "same_event": "tells the same event as",
    "related": "is related to",
    "join": "was joined with",
    "split": "was split off with",
}

_NOT_ANNOUNCED: Mapping[str, str] = {
    "back issue": "It is a back issue: older than publish.backfill when its source was added, or imported. Archives"
    " have it, the live feeds do not.",
    "re-issued": "Its source had re-issued its archive: entries came at once that should have been seen long before. It"
    " is stored and was put into no feed.",
}


def sentences(trace: Trace, settings: PublishSettings, categories: Mapping[str, Category]) -> list[str]:
    """What happened to the entry and why, in order. `categories` are the configured ones by term."""
    return [
        f"It came from {trace['source']}, in the poll of {_time(trace['first_seen'])}.",
        *(_repair(code) for code in trace["repairs"]),
        *_story(trace),
        *_categories(trace, categories),
        *_feeds(trace, settings, categories),
    ]


def _repair(code: str) -> str:
    if code in _REPAIRS:
        return _REPAIRS[code]
    kind, _, value = code.partition(":")
    if kind in _REPAIRS_WITH_VALUE:
        return _REPAIRS_WITH_VALUE[kind].format(value)
    return f"It was repaired: {code}."


# ------------------------------------------------------------------------------------------------- story


def _story(trace: Trace) -> Iterator[str]:
    if (original := trace["duplicate_of"]) is not None:
        evidence = trace["evidence"]
        yield f"It {because(evidence)}."
        yield f"Feeds show the first entry of its story instead: {original['id']} ({original['source']})."
    for copy in trace["copies"]:
        yield f"{copy['id']} ({copy['source']}) {because(copy['evidence'])}."
    for other in trace["related"]:
        yield f"{other['id']} ({other['source']}) is related to it: {_reasons(other['evidence'])}."


def because(evidence: Trace) -> str:
    """What an entry is to which other, and why: the rest of a sentence that begins with the entry."""
    said = f"{_TELLS[evidence['level']]} {evidence['with']}"
    return f"{said} by {evidence['who']}" if "who" in evidence else f"{said}: {_reasons(evidence)}"


def _reasons(evidence: Trace) -> str:
    return "; ".join(map(_reason, evidence["reasons"]))


def _reason(said: str) -> str:
    code, *words = said.split(" ")
    return _SAME_PAGE.get(said) or stories.clause(stories.Reason(code, tuple(words)))


# ------------------------------------------------------------------------------------------------- categories


def _categories(trace: Trace, categories: Mapping[str, Category]) -> Iterator[str]:
    for filing in sorted(trace["categories"], key=_place_of_voice):
        yield f"It is filed under {_named(filing['term'], categories)} by {voice(filing)}." + _gone(
            filing["term"], categories
        )
    for kept in trace["kept_out"]:
        yield f"It is kept out of {_named(kept['term'], categories)} by {kept['who']}, by hand."
    if not trace["categories"]:
        yield "It is in no category: no editor, source or rule files it, and no score reaches its threshold."


def _place_of_voice(filing: Trace) -> tuple[str, int]:
    origin = filing["origin"]
    return filing["term"], _VOICES.index(origin) if origin in _VOICES else len(_VOICES)


def voice(filing: Trace) -> str:
    """Who filed an entry, or kept it out, and why: what follows “by”. `filing` has the origin, the reason and perhaps
    the score."""
    origin, reason = filing["origin"], filing["reason"]
    if origin == "editor":
        return f"{reason or 'an editor'}, by hand"
    if origin == "source":
        return "its source (`category` in sources.yaml)"
    if origin == "rule":
        return " and by ".join(map(_rule, reason.split("\n")))
    if origin == "lexicon":
        return _lexicon(reason, filing.get("score"))
    return f"{origin}: {reason}" if reason else str(origin)


def _rule(line: str, owner: str = "that category") -> str:
    reference, _, found = line.partition(": ")
    effect, _, term = reference.partition(" ")
    if effect in _EFFECTS:
        return f"{_rule(found, term)} {_EFFECTS[effect].format(term)}"
    return f"{_named_rule(reference, owner)}, which found {found}"


def _named_rule(reference: str, owner: str = "that category") -> str:
    """`2` is a rule of the category, `source 2` one of the source."""
    kind, _, number = reference.rpartition(" ")
    return f"rule {number} of {'its source' if kind == 'source' else owner}"


def _lexicon(reason: str, score: float | None) -> str:
    """The lexicon's voice: what makes the score, and from which score on it files."""
    *lines, last = reason.split("\n")
    reached = "" if score is None else f" with a score of {score:.2f}"
    return f"the lexicon{reached} ({last}): {'; '.join(map(_part_of_score, lines))}"


def _part_of_score(line: str) -> str:
    head, _, found = line.partition(": ")
    if head == "words":
        return found
    what, _, weight = head.rpartition(" ")
    if what == "prior":
        return f"the source's prior {weight}"
    return f"{_named_rule(what)} {weight}, which found {found}"


def _gone(term: str, categories: Mapping[str, Category]) -> str:
    return "" if term in categories or term in OWN_TERMS else " The configuration has no such category now."


def _named(term: str, categories: Mapping[str, Category]) -> str:
    return f"{term} ({categories[term].label})" if term in categories else term


# ------------------------------------------------------------------------------------------------- feeds


def _feeds(trace: Trace, settings: PublishSettings, categories: Mapping[str, Category]) -> Iterator[str]:
    if trace["story"] is None:
        yield "It waits for its story: the next tick decides whether it is a copy, and which feeds it enters."
        return
    if trace["announced"] in _NOT_ANNOUNCED:
        yield _NOT_ANNOUNCED[trace["announced"]]
    subject = "It" if trace["duplicate_of"] is None else "Its story"
    for feed in trace["feeds"]:
        place = f"{_place(trace['story'], feed['term'], categories)} since {_time(feed['published_at'])}"
        yield f"{subject} {_standing(trace['story'], feed, place, settings)}" + _gone(feed["term"], categories)
    missing = {filing["term"] for filing in trace["categories"]} & categories.keys()
    for term in sorted(missing - {feed["term"] for feed in trace["feeds"]}):
        if trace["announced"] != "re-issued":
            yield f"{subject} is not in the feed {term}: the category is younger than the settling of this entry."


def _standing(story: Trace, feed: Trace, place: str, settings: PublishSettings) -> str:
    if feed["withdrawn_at"] is not None:
        return f"was in {place} and was withdrawn on {_time(feed['withdrawn_at'])}: {feed['why']}."
    if not feed["live"]:
        return f"is in {place} as a back issue: not in the live feed."
    if feed["position"] > settings.limit:
        return (
            f"is in {place}, but no longer in the live feed: it is number {feed['position']} from the newest, and"
            f" publish.limit is {settings.limit}."
        )
    if _is_too_old(story, feed, settings):
        return f"is in {place}, but no longer in the live feed: it is older than publish.max_age."
    return f"is in {place}, number {feed['position']} from the newest."


def _is_too_old(story: Trace, feed: Trace, settings: PublishSettings) -> bool:
    if settings.max_age is None or feed["as_of"] is None:
        return False
    oldest = datetime.fromisoformat(feed["as_of"]) - settings.max_age
    return datetime.fromisoformat(story["published"]) < oldest


def _place(story: Trace, term: str, categories: Mapping[str, Category]) -> str:
    """The feed, with the reason where it is not the feed of one of the story's own categories."""
    if term == "all":
        return "the feed all (every story)"
    if term == "other":
        return f"the feed other ({'it had no category then' if story['categories'] else 'stories without a category'})"
    children = [own for own in story["categories"] if term in _ancestors(own, categories)]
    if term in story["categories"] or not children:
        return f"the feed {_named(term, categories)}"
    return f"the feed {_named(term, categories)}, the parent of {', '.join(children)},"


def _ancestors(term: str, categories: Mapping[str, Category]) -> set[str]:
    found: set[str] = set()
    while term in categories and (parent := categories[term].parent) is not None and parent not in found:
        found.add(parent)
        term = parent
    return found


def _time(said: str) -> str:
    return f"{datetime.fromisoformat(said):%Y-%m-%d %H:%M} UTC"
