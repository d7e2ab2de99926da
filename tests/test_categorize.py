"""Four voices, one decision: editor, source, rules, lexicon."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator import categorize, text
from aggregator.categorize import lexicon
from aggregator.models import Category, Filing, Rule, Ruling, Source

WORDS = {"tech": {"手机": 4.0, "电脑": 2.0, "水果": -3.0}, "sports": {"足球": 4.0}}
ALONE = -3.0  # log-odds of a text without any of these words


def likely(log_odds):
    return 1 / (1 + math.exp(-log_odds))


class Heard:
    """What the little lexicon below makes of a text."""

    def __init__(self, folded):
        self.has_text = len(folded) > 20
        self.found = {term: {word: words[word] for word in words if word in folded} for term, words in WORDS.items()}
        self.by_term = {term: likely(ALONE + sum(words.values())) for term, words in self.found.items()}

    def words(self, term, most):
        return sorted((pair for pair in self.found.get(term, {}).items() if pair[1] > 0), key=lambda pair: -pair[1])


class LittleLexicon:
    """A lexicon whose scores are plain sums."""

    def __init__(self):
        self.terms = {term: lexicon.Term(term, 0.0, likely(0.5), with_text=likely(-1.5)) for term in WORDS}

    def score(self, title, text, learned):
        return Heard(f"{title} {text}")


def verdict(title="", *, source=None, rulings=(), tech=(), ai=(), sports=(), threshold=None, **fields):
    """What is decided of a title; rules are given by category."""
    categories = [
        Category("tech", "科技", threshold=threshold, rules=tech),
        Category("ai", "人工智能", parent="tech", rules=ai),
        Category("sports", "体育", rules=sports),
    ]
    guide = categorize.Guide(categories, LittleLexicon())
    plain = {"title": title, "text": ""} | fields
    folded = {name: text.fold(plain[name]) for name in ("title", "text")}
    return categorize.decide(guide, categorize.Subject(plain, folded), source or of_source(), rulings)


def of_source(**said):
    return Source("来源", "http://a.example/", **said)


def filed(*args, **said):
    """Each category with its voice, in order."""
    return [(filing.term, filing.origin) for filing in verdict(*args, **said).filings]


def kept_out(*args, **said):
    return {filing.term: filing.reason for filing in verdict(*args, **said).against}


ADD, REMOVE, ONLY = (Rule(any=("词",), act=act) for act in ("add", "remove", "only"))


# ------------------------------------------------------------------------------------------------- each voice


def test_an_entry_of_which_nobody_says_anything_is_in_no_category():
    assert verdict("词").filings == ()


def test_the_sources_own_categories_count():
    assert filed("x", source=of_source(categories=("tech", "ai"))) == [("tech", "source"), ("ai", "source")]


def test_a_category_that_is_not_configured_is_left_out():
    source = of_source(categories=("removed",), rules=(Rule(any=("x",), category="removed"),))
    assert verdict("x", source=source, rulings=[Ruling("removed", True)]).filings == ()


def test_a_rule_files_and_is_named_with_its_number_and_words():
    found = verdict("词", tech=(Rule(any=("a",)), ADD, Rule(any=("词", "b"))))
    assert found.filings == (Filing("tech", "rule", "2: 词\n3: 词"),)


def test_a_rule_of_the_source_files_only_its_own_entries():
    source = of_source(rules=(Rule(any=("词",), category="sports"),))
    assert verdict("词", source=source).filings == (Filing("sports", "rule", "source 1: 词"),)
    assert verdict("词").filings == ()


def test_the_lexicon_files_from_its_threshold_on_and_names_words_weights_and_score():
    assert verdict("电脑").filings == ()
    (filing,) = verdict("手机与电脑").filings
    assert filing == Filing("tech", "lexicon", "words: 手机 +4.00, 电脑 +2.00\nthreshold 0.50", 3.0)


def test_the_text_counts_for_the_lexicon_too():
    assert filed("x", text="手機") == [("tech", "lexicon")]


def test_every_voice_that_files_is_named_in_order():
    found = filed("手机 词", tech=(ADD,), source=of_source(categories=("tech",)), rulings=[Ruling("tech", True, "a")])
    assert found == [("tech", "editor"), ("tech", "source"), ("tech", "rule"), ("tech", "lexicon")]


def test_an_entry_can_be_in_several_categories():
    assert filed("手机 足球") == [("tech", "lexicon"), ("sports", "lexicon")]


# ------------------------------------------------------------------------------------------------- score


def test_a_threshold_of_the_editors_replaces_the_lexicons():
    assert filed("手机", threshold=1.5) == []
    assert filed("手机", threshold=0.9) == [("tech", "lexicon")]


def test_an_entry_with_a_text_has_a_threshold_of_its_own_unless_the_editor_gives_one():
    longer = "一篇长长的文章" * 3
    assert filed("电脑") == []
    assert verdict("电脑", text=longer).filings[0].reason == "words: 电脑 +2.00\nthreshold -1.50"
    assert filed("电脑", text=longer, threshold=1.0) == []


def test_a_threshold_of_none_means_that_no_score_is_enough():
    assert filed("手机 词", threshold=math.inf, tech=(ADD,)) == [("tech", "rule")]


@pytest.mark.parametrize(("weight", "files"), [(1.5, True), (1.4, False), (-1.0, False)])
def test_a_weight_adds_to_the_score(weight, files):
    found = verdict("电脑 词", tech=(Rule(any=("词",), weight=weight),)).filings
    assert bool(found) is files
    if files:
        assert found[0].reason == "words: 电脑 +2.00\n1 +1.50: 词\nthreshold 0.50"


def test_a_weight_can_keep_the_lexicon_from_filing_but_no_rule():
    down = Rule(any=("水",), weight=-5.0)
    assert filed("手机 水", tech=(down,)) == []
    assert filed("手机 水 词", tech=(down, ADD)) == [("tech", "rule")]


def test_three_weights_of_a_tenth_are_three_tenths():
    tenths = tuple(Rule(any=(word,), weight=0.1) for word in "甲乙丙")
    assert filed("甲乙丙", tech=tenths, threshold=-2.7) == [("tech", "lexicon")]
    assert filed("甲乙", tech=tenths, threshold=-2.7) == []


def test_weights_alone_file_where_the_lexicon_knows_no_words():
    half = (Rule(any=("甲",), weight=0.5), Rule(any=("乙",), weight=0.5))
    assert filed("甲", ai=half) == []
    assert filed("甲乙", ai=half) == [("ai", "lexicon")]


def test_a_category_that_was_taught_has_the_threshold_of_new_ones():
    taught = lexicon.Learned({"": {"ai": SimpleNamespace(term="ai")}})
    guide = categorize.Guide([Category("ai", "人工智能"), Category("cars", "车")], LittleLexicon(), taught)
    assert likely(guide.thresholds(False)["ai"]) == pytest.approx(lexicon.NEW_THRESHOLD)
    assert likely(guide.thresholds(True)["cars"]) < 0.2  # where only weights of rules can speak


def test_a_prior_moves_the_score_by_its_log_odds_over_the_usual_share():
    source = of_source(prior={"tech": 0.5, "sports": 0.01})
    plain, moved = verdict("电脑").scores, verdict("电脑", source=source).scores
    assert moved["tech"] - plain["tech"] == pytest.approx(math.log(19), abs=1e-5)
    assert moved["sports"] - plain["sports"] == pytest.approx(math.log(19 / 99), abs=1e-5)
    assert moved["ai"] == plain["ai"]


def test_a_prior_files_nothing_of_which_nothing_speaks():
    source = of_source(prior={"tech": 0.99, "ai": 0.99})
    assert filed("完全无关", source=source) == []
    assert filed("水果", source=source) == []
    assert verdict("电脑", source=source).filings[0].reason == "words: 电脑 +2.00\nprior +7.54\nthreshold 0.50"


# ------------------------------------------------------------------------------------------------- who wins


def test_remove_keeps_out_whatever_the_other_voices_say():
    source = of_source(categories=("tech",))
    assert filed("手机 词", tech=(ADD, REMOVE), source=source) == []
    assert kept_out("手机 词", tech=(ADD, REMOVE), source=source)["tech"] == "2: 词"


def test_remove_keeps_out_of_what_lies_below_too_as_that_would_be_in_the_same_feed():
    assert filed("词", tech=(REMOVE,), ai=(ADD,)) == []
    assert kept_out("词", tech=(REMOVE,), ai=(ADD,)) == {"tech": "1: 词", "ai": "above tech: 1: 词"}
    assert filed("手机 词", tech=(), ai=(REMOVE,)) == [("tech", "lexicon")]


def test_only_files_there_and_nowhere_else():
    source = of_source(categories=("tech",))
    assert filed("足球 手机 词", ai=(ONLY,), sports=(ADD,), source=source) == [("ai", "rule")]
    assert kept_out("词", ai=(ONLY,)) == {"tech": "only ai: 1: 词", "sports": "only ai: 1: 词"}


def test_two_that_say_only_are_both_heard():
    assert filed("手机 词", ai=(ONLY,), sports=(ONLY,)) == [("ai", "rule"), ("sports", "rule")]


def test_an_only_of_a_category_that_is_removed_does_not_count():
    assert filed("手机 词", sports=(ONLY, REMOVE)) == [("tech", "lexicon")]


def test_a_rule_with_a_weight_is_no_only():
    assert filed("手机 词", sports=(Rule(any=("词",), weight=0.1),)) == [("tech", "lexicon")]


def test_the_editor_files_against_every_rule():
    said = {"tech": (REMOVE,), "sports": (ONLY,), "rulings": [Ruling("tech", True, "li")]}
    assert verdict("词", **said).filings == (Filing("tech", "editor", "li"), Filing("sports", "rule", "1: 词"))


def test_the_editor_keeps_out_against_every_voice():
    said = {"tech": (ADD, ONLY), "source": of_source(categories=("tech",)), "rulings": [Ruling("tech", False, "li")]}
    assert filed("手机 词", **said) == []
    assert kept_out("手机 词", **said)["tech"] == "li"


def test_what_the_editor_keeps_out_of_a_category_is_in_none_below_it_but_by_hand():
    assert filed("词", ai=(ADD,), rulings=[Ruling("tech", False)]) == []
    assert filed("词", ai=(ADD,), rulings=[Ruling("tech", False), Ruling("ai", True)]) == [
        ("ai", "editor"),
        ("ai", "rule"),
    ]


acts = st.lists(
    st.builds(
        Rule,
        any=st.sampled_from([("词",), ("手机",), ("没有",)]),
        act=st.sampled_from(["add", "remove", "only"]),
        weight=st.none() | st.floats(-9, 9),
    ),
    max_size=2,
).map(tuple)
terms = st.sampled_from(["tech", "ai", "sports"])


@given(
    st.text("手机足球电脑词 ", max_size=9),
    st.fixed_dictionaries({"tech": acts, "ai": acts, "sports": acts}),
    st.builds(of_source, categories=st.sets(terms).map(tuple), prior=st.dictionaries(terms, st.floats(0.001, 0.999))),
    st.dictionaries(terms, st.booleans()),
)
def test_whatever_the_others_say_the_editor_wins_and_nothing_is_filed_without_a_reason(title, rules, source, said):
    rulings = [Ruling(term, there, "li") for term, there in said.items()]
    found = verdict(title, **rules, source=source, rulings=rulings)
    filed = {filing.term for filing in found.filings}
    order = list(said)
    undone = "tech" in said and not said["tech"] and order.index("ai") < order.index("tech") if "ai" in said else False
    assert {term for term, there in said.items() if there} - ({"ai"} if undone else set()) <= filed
    assert filed.isdisjoint(term for term, there in said.items() if not there)
    assert filed.isdisjoint(filing.term for filing in found.against)
    assert all(filing.reason or filing.origin == "source" for filing in found.filings)
    assert found == verdict(title, **rules, source=source, rulings=rulings)
    assert found.scores.keys() == {"tech", "ai", "sports"}


# ------------------------------------------------------------------------------------------------- order


def order(*args, **said):
    scores = verdict(*args, **said).scores
    return sorted(scores, key=scores.__getitem__, reverse=True)


def test_a_rule_that_files_counts_in_the_order_but_does_not_outweigh_every_word():
    assert order("手机") == ["tech", "ai", "sports"]
    assert order("手机 词", sports=(ADD,)) == ["tech", "sports", "ai"]
    assert order("词", sports=(ADD,)) == ["sports", "ai", "tech"]


@pytest.mark.parametrize(
    "said", [{"sports": (ONLY,)}, {"source": of_source(categories=("sports",))}, {"rulings": [Ruling("sports", True)]}]
)
def test_a_voice_that_leaves_no_doubt_comes_first(said):
    assert order("手机 电脑 词", **said)[0] == "sports"


@pytest.mark.parametrize("said", [{"tech": (REMOVE,)}, {"rulings": [Ruling("tech", False)]}])
def test_what_is_kept_out_comes_last(said):
    assert order("手机 电脑 词", **said)[0] == "sports"
