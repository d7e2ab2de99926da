"""An entry and its source → categories with reasons. Pure.

decide    four voices, one decision: the editor, the source, the rules, the lexicon
rules     words and patterns of an editor, looked for in an entry's fields
lexicon   words with weights, and what they say of a text
learning  what the lexicon learns from corrections and from sources that are certain
editions  what files entries, by name
building  a lexicon from labelled titles
"""

from aggregator.categorize import lexicon
from aggregator.categorize.decide import Guide, Verdict, decide
from aggregator.categorize.editions import editions
from aggregator.categorize.rules import Subject

__all__ = ["Guide", "Subject", "Verdict", "decide", "editions", "lexicon"]
