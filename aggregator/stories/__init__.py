"""Which entries tell one story: prints to find candidates by, and the comparison of two entries. Pure.

An entry's `fingerprint` is made once, in a worker. Its keys are the postings by which the store finds candidates;
a `Glance` is a first, cheap look at one, `compare` the decision with its reasons.
"""

from __future__ import annotations

from aggregator.stories.aliases import Aliases
from aggregator.stories.aliases import load as load_aliases
from aggregator.stories.deciding import Glance, Level, Reason, Said, Verdict, compare
from aggregator.stories.growing import LOOKED_AT, Match, Newcomer, Place
from aggregator.stories.prints import VERSION, Fingerprint, fingerprint
from aggregator.stories.wording import clause, sentence

__all__ = [
    "LOOKED_AT",
    "VERSION",
    "Aliases",
    "Fingerprint",
    "Glance",
    "Level",
    "Match",
    "Newcomer",
    "Place",
    "Reason",
    "Said",
    "Verdict",
    "clause",
    "compare",
    "fingerprint",
    "load_aliases",
    "sentence",
]
