"""Codes of evidence and vetoes → sentences, made when somebody asks."""

from __future__ import annotations

from collections.abc import Mapping

from aggregator.stories.deciding import Reason

# What decides by itself; {} is what the reason speaks of.
_DECISIONS: Mapping[str, str] = {
    "link": "Both link to the same page.",
    "id": "Both are one entry of one source.",
    "title": "Both have the same title.",
    "text": "Their texts have {} of their 4-grams in common.",
    "far apart": "{} hours lie between them, more than one event is followed for.",
    "one source": "Both are of one source, which does not report one event twice.",
}

_VETOES: Mapping[str, str] = {
    "column": "Against it: only numerals differ, as in a recurring column ({}).",
    "dated": "Against it: what they have in common is the day.",
    "greeting": "Against it: both are greetings.",
    "numbers": "Against it: they count differently ({}).",
    "opposite": "Against it: they say opposites ({}).",
    "negation": "Against it: one denies what the other says ({}).",
    "swapped": "Against it: who does it to whom is the other way round.",
    "model": "Against it: they name different models ({}).",
    "names": "Against it: they name different ones ({}).",
    "words": "Against it: each has words that the other has not ({}).",
    "works": "Against it: they name different works or laws ({}).",
    "subject": "Against it: they are about different ones ({}).",
    "variant": "Against it: they name different variants of one model ({}).",
    "step": "Against it: they tell different steps or grades ({}).",
    "sequel": "Against it: only one tells what came of it ({}).",
    "ending": "Against it: they differ in their end, where each has something else ({}).",
    "template": "Against it: they differ in one place, where each has something else ({}).",
    "common words": "Against it: what their titles have in common, many titles have.",
    "other texts": "Against it: their texts have no rare words in common.",
    "digest": "Against it: one collects several stories.",
    "format": "Against it: one is made of the event, rather than told of it.",
}

# {} is what the figure adds to the log odds.
_FIGURES: Mapping[str, str] = {
    "letters": "characters in common, of the shorter title",
    "dice": "characters in common, of both titles",
    "equal_numbers": "numbers in common",
    "unequal_numbers": "numbers that differ",
    "other_names": "different names",
    "other_words": "different words of Latin letters",
    "other_speaker": "somebody else speaks",
    "absent_speaker": "one speaks whom the other does not name",
    "reaction": "only one reacts",
    "background": "only one explains",
    "hours": "the time between them",
}


def sentence(reason: Reason) -> str:
    """A reason in words; a code that has no sentence is shown as it stands."""
    words = " ".join(reason.words)
    if reason.code in _FIGURES:
        return f"{words}  {_FIGURES[reason.code]}"
    template = _DECISIONS.get(reason.code) or _VETOES.get(reason.code)
    return template.format(words) if template else str(reason)


def clause(reason: Reason) -> str:
    """A reason as a part of a sentence."""
    if reason.code in _FIGURES:
        return f"{_FIGURES[reason.code]} ({' '.join(reason.words)})"
    said = sentence(reason).rstrip(".")
    return said[:1].lower() + said[1:]
