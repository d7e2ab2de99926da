"""How right the lexicon is, on labelled titles that it has not seen, beside a joint machine on the same split.

    .venv/bin/python -m tests.bench.categories [--parts accuracy,tech,apart,learning,scripts,portal,cost]
    .venv/bin/python -m tests.bench.categories --kept tenths [--parts accuracy,tech]
    .venv/bin/python -m tests.bench.categories --fifth 1 [--parts …]

The sets are those of ../shared/corpus/datasets. A fifth of their titles is judged, chosen by a hash of the title's
first characters, so that copies of one title fall on one side; what is judged was not used for building. `restricted`
asks for the best of the set's own labels, `open` for the best of all terms.

The shipped lexicon is built from all of them, so that its figures on new titles of these kinds are a little better.
`--kept tenths` comes nearer to it: the same fifth is judged, each half of it by what was learned from all the rest, the
other half included. What is judged is never what anything was tuned on. Where `--fifth` keeps another one away, to see
how far figures hang on which titles are judged, it is one of those on which settings were chosen.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
import tracemalloc
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import yaml
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC

from aggregator import text
from aggregator.categorize import building, learning, lexicon
from aggregator.categorize.building import Example
from aggregator.categorize.lexicon import NOTHING, Learned, Lexicon, Table
from aggregator.cli import wording

ROOT = Path(__file__).resolve().parents[2]
SETS = ROOT.parent / "shared" / "corpus" / "datasets"
PORTAL = ROOT.parent / "shared" / "reference" / "portal-article.txt"
NAMES = ("toutiao_titles", "thucnews_titles", "sina2018_fulltext", "taiwan_hant_titles", "agnews_test", "tnews_dev")
NOISY = "tnews_dev"  # reported only, not learned from: half of its labels are odd
PRECISE = {"tech": 0.92}
CORRECTIONS = 300

# What can be asked for, by how much of the labelled titles is kept away at a time.
PARTS = {
    "fifth": ("accuracy", "tech", "apart", "learning", "scripts", "portal", "cost"),
    "tenths": ("accuracy", "tech"),
}

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Entry:
    """A labelled entry of a set. `kept`: which fifth is kept away."""

    name: str
    example: Example
    kept: int = 0

    @property
    def main(self) -> str:
        """The term that its label means."""
        return next(iter(self.example.right))

    @property
    def accepted(self) -> frozenset[str]:
        """The terms that are right: a label that may mean several accepts each; 科技 of sina may be 财经, too."""
        also = {"finance"} if self.name.startswith("sina") and self.main == "tech" else set()
        return self.example.right | self.example.unsure | also

    @property
    def part(self) -> int:
        """0 to 4; 0 is kept away."""
        return (self._hash - self.kept) % 5

    @property
    def half(self) -> int:
        """0 or 1, the half of its part."""
        return self._hash // 5 % 2

    @property
    def _hash(self) -> int:
        return int(hashlib.sha256(self.example.title[:12].encode()).hexdigest(), 16)


Judge = Callable[[Entry, bool], Mapping[str, float]]


def parents() -> dict[str, str]:
    """The shipped categories, each with its parent or ""."""
    shipped = yaml.safe_load((ROOT / "config" / "categories.yaml").read_text("utf-8"))["categories"]
    return {category["term"]: category.get("parent", "") for category in shipped}


def entries(kept: int = 0) -> list[Entry]:
    """All labelled entries, of which that fifth is kept away."""
    said = dict(wording.meanings(Path(__file__).with_name("labels.tsv"), parents()))
    return [
        Entry(name, example, kept) for name in NAMES for example in wording.examples(SETS / name / "dev.jsonl", said)
    ]


def learned_from(kept: str, everything: Sequence[Entry], learn: Callable[[list[Entry]], T]) -> Mapping[int, T]:
    """For each half of the fifth that is kept away what is learned without it: one thing from the other four fifths,
    or, if only `tenths` are kept, from nine tenths each."""
    may_teach = [entry for entry in everything if entry.name != NOISY]
    if kept == "fifth":
        return dict.fromkeys((0, 1), learn([entry for entry in may_teach if entry.part]))
    return {half: learn([entry for entry in may_teach if entry.part or entry.half != half]) for half in (0, 1)}


def built(used: Iterable[Entry]) -> Table:
    """A lexicon of these entries and the known words."""
    known = list(lexicon.added(lexicon.known()))
    return building.build([entry.example for entry in used], known, parents(), PRECISE)


def joint(used: Sequence[Entry]) -> Judge:
    """A joint linear machine over n-grams of up to three characters, from the same titles and texts, without limits."""
    said = [(entry.example.title, entry.main) for entry in used]
    said += [(_whole(entry.example), entry.main) for entry in used if entry.example.text]
    vectors = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True, min_df=2)
    machine = LinearSVC(C=0.5, random_state=0).fit(
        vectors.fit_transform([words for words, _ in said]), [m for _, m in said]
    )

    def judge(entry: Entry, with_text: bool) -> dict[str, float]:
        example = entry.example
        margins = machine.decision_function(vectors.transform([_whole(example) if with_text else example.title]))
        return dict(zip(machine.classes_, margins[0].tolist(), strict=True))

    return judge


def _whole(example: Example) -> str:
    return f"{example.title} {example.text[: building.OPENING]}"


def by(judge: Lexicon, learned: Learned = NOTHING) -> Judge:
    """The scores of a lexicon's terms that have no parent."""
    tops = [term.term for term in judge.terms.values() if not term.parent]

    def scores(entry: Entry, with_text: bool) -> dict[str, float]:
        found = judge.score(entry.example.title, entry.example.text if with_text else "", learned).by_term
        return {term: found[term] for term in tops}

    return scores


def by_half(judges: Mapping[int, Judge]) -> Judge:
    """Each entry judged by the judge of its half."""
    return lambda entry, with_text: judges[entry.half](entry, with_text)


# ---------------------------------------------------------------------------------------------- accuracy


def accuracy(judged: Sequence[Entry], judges: Mapping[str, Judge]) -> None:
    """Restricted and open accuracy for each set, with and without texts; 社会 and 民生故事 apart."""
    print(f"\n{'set':24} {'':6} {'titles':>7}" + "".join(f" {name:>21}" for name in judges) + "   restricted / open")
    for name in NAMES:
        for society in (False, True):
            within = [entry for entry in judged if entry.name == name and (entry.main == "society") is society]
            for with_text in (False, True):
                shown = [entry for entry in within if entry.example.text or not with_text]
                if shown:
                    label = name + (" 社会" if society else "")
                    print(f"{label:24} {'text' if with_text else 'title':6} {len(shown):7}", end="")
                    for judge in judges.values():
                        restricted, free = _accuracy(shown, judge, with_text)
                        print(f" {restricted:13.3f} / {free:.3f}", end="")
                    print()


def _accuracy(shown: Sequence[Entry], judge: Judge, with_text: bool) -> tuple[float, float]:
    own = frozenset().union(*(entry.example.right | entry.example.unsure for entry in shown))
    restricted = free = 0
    for entry in shown:
        scores = judge(entry, with_text)
        free += max(scores, key=scores.__getitem__) in entry.accepted
        restricted += max(own & scores.keys(), key=scores.__getitem__) in entry.accepted
    return restricted / len(shown), free / len(shown)


# ---------------------------------------------------------------------------------------------- one term


@dataclass(frozen=True, slots=True)
class Quality:
    """Precision, recall and F1."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """Their harmonic mean."""
        return 2 * self.precision * self.recall / (self.precision + self.recall or 1)

    def __str__(self) -> str:
        return f"P {self.precision:.3f}  R {self.recall:.3f}  F1 {self.f1:.3f}"


def quality(shown: Sequence[Entry], term: str, assigned: Callable[[Entry], bool]) -> Quality:
    """How good an assignment of `term` is."""
    hits = wrong = missed = 0
    for entry in shown:
        if assigned(entry):
            hits += term in entry.accepted
            wrong += term not in entry.accepted
        else:
            missed += entry.main == term
    return Quality(hits / (hits + wrong or 1), hits / (hits + missed or 1))


def at_threshold(judge: Lexicon, term: str, with_text: bool, learned: Learned = NOTHING) -> Callable[[Entry], bool]:
    """Whether the lexicon's score of `term` reaches the threshold that it was built with."""
    known = judge.terms[term]

    def assigned(entry: Entry) -> bool:
        example = entry.example
        scores = judge.score(example.title, example.text if with_text else "", learned)
        return scores.by_term[term] >= known.least(scores.has_text)

    return assigned


def tech(lexicons: Mapping[int, Lexicon], judged: Sequence[Entry]) -> None:
    """科技 at its threshold, and every other term, by the lexicon of each entry's half."""

    def show(what: str, shown: Sequence[Entry], term: str, with_text: bool) -> None:
        assigned = {half: at_threshold(judge, term, with_text) for half, judge in lexicons.items()}
        print(f"    {what:38} {quality(shown, term, lambda entry: assigned[entry.half](entry))}")

    usual = [entry for entry in judged if entry.name != NOISY]
    print(f"\n科技 from {_leasts(lexicons, 'tech')}, without {NOISY}")
    show("texts where there are", usual, "tech", with_text=True)
    show("titles alone", usual, "tech", with_text=False)
    for name in NAMES:
        own = [entry for entry in judged if entry.name == name]
        show(f"{name} titles", own, "tech", with_text=False)
        if any(entry.example.text for entry in own):
            show(f"{name} with text", own, "tech", with_text=True)
    print("every term, texts where there are")
    for term in sorted({entry.main for entry in usual}):
        show(f"{term:14} from {_leasts(lexicons, term)}", usual, term, with_text=True)


def _leasts(lexicons: Mapping[int, Lexicon], term: str) -> str:
    """The thresholds of a term for titles / with a text, of each lexicon."""
    known = [judge.terms[term] for judge in lexicons.values()]
    return " and ".join(dict.fromkeys(f"{each.least(False)}/{each.least(True)}" for each in known))


def apart(judge: Lexicon, sina: Sequence[Entry]) -> None:
    """科技 of a domain that the lexicon was built without."""
    own = frozenset(entry.main for entry in sina)
    print(f"\nbuilt without sina, judged on all {len(sina)} of sina: 科技")
    for with_text in (False, True):
        for what, terms in (("restricted", own), ("open", judge.terms.keys())):
            found = quality(sina, "tech", best_is("tech", by(judge), terms, with_text))
            print(f"    {'with text' if with_text else 'titles':10} best of all, {what:10} {found}")
        found = quality(sina, "tech", at_threshold(judge, "tech", with_text))
        print(f"    {'with text' if with_text else 'titles':10} at its threshold        {found}")


def best_is(term: str, judge: Judge, terms: Iterable[str], with_text: bool) -> Callable[[Entry], bool]:
    """Whether `term` has the best score of these terms."""
    allowed = set(terms)

    def assigned(entry: Entry) -> bool:
        scores = judge(entry, with_text)
        return max(allowed & scores.keys(), key=scores.__getitem__) == term

    return assigned


# ---------------------------------------------------------------------------------------------- learning


def learning_figures(table: Table, sina: Sequence[Entry], judged: Sequence[Entry]) -> None:
    """What corrections, certain sources and examples of a new category change."""
    judge = Lexicon(table)
    taught = [entry for entry in sina if entry.part % 2]
    held = [entry for entry in sina if not entry.part % 2]
    for with_text in (False, True):
        learned, seen = corrected(judge, taught, with_text)
        what = "with text" if with_text else "titles"
        print(f"\n{CORRECTIONS} corrections among {seen} of sina, {what}: F1 on {len(held)} others, before and after")
        compare(judge, learned, held, with_text)
    sources = [entry for entry in taught if entry.main in ("tech", "sports")]
    print(
        f"\nsources that are certain: {len(sources)} entries of sina, 科技 and 体育: F1 before and after, on its others"
    )
    learned = from_sources(judge, sources)
    compare(judge, learned, held, with_text=True)
    print("    and on the other sets")
    compare(judge, learned, [entry for entry in judged if not entry.name.startswith("sina")], with_text=True)
    new_category(table, judged)


def corrected(judge: Lexicon, taught: Sequence[Entry], with_text: bool) -> tuple[Learned, int]:
    """What an editor teaches who goes through entries and corrects the first that are filed wrongly; entries seen."""
    learned, count = Learned(), 0
    for seen, entry in enumerate(taught, 1):
        body = entry.example.text if with_text else ""
        scores = judge.score(entry.example.title, body, learned)
        terms = [known for known in judge.terms.values() if not known.parent]
        filed = {known.term for known in terms if scores.by_term[known.term] >= known.least(scores.has_text)}
        right, wrong = entry.example.right - filed, filed - entry.accepted
        if right or wrong:
            lesson = learning.Lesson(entry.example.title, body, right, frozenset(wrong))
            learned.take(learning.learn(judge, learned, lesson))
            count += 1
        if count == CORRECTIONS:
            return learned, seen
    return learned, len(taught)


def from_sources(judge: Lexicon, entries: Sequence[Entry]) -> Learned:
    """What sources with certain categories teach."""
    lessons = learning.lessons([(e.example.title, e.example.text, e.example.right) for e in entries])
    return Learned.of(learning.taught(judge, NOTHING, lessons, learning.SOURCE)[0])


def compare(judge: Lexicon, learned: Learned, shown: Sequence[Entry], with_text: bool) -> None:
    """F1 of each term that occurs, without and with what was learned."""
    for term in sorted({entry.main for entry in shown}):
        before = quality(shown, term, at_threshold(judge, term, with_text))
        after = quality(shown, term, at_threshold(judge, term, with_text, learned))
        print(f"    {term:14} {before.f1:.3f}  {after.f1:.3f}  {after.f1 - before.f1:+.3f}")


def new_category(table: Table, judged: Sequence[Entry], term: str = "agriculture", most: int = 30) -> None:
    """A category of which the lexicon knows nothing, from its first examples and as many of other categories."""
    naive = Lexicon(without(table, term))
    toutiao = [entry for entry in judged if entry.name.startswith("toutiao")]
    first = [entry for entry in toutiao if entry.main == term][:most]
    others = [entry for entry in toutiao if entry.main != term][:most]
    learned = Learned()
    for right, wrong in zip(first, others, strict=True):
        for lesson in (
            learning.Lesson(right.example.title, "", frozenset({term}), frozenset()),
            learning.Lesson(wrong.example.title, "", frozenset(), frozenset({term})),
        ):
            learned.take(learning.learn(naive, learned, lesson))
    held = [entry for entry in toutiao if entry not in first and entry not in others]

    def assigned(entry: Entry) -> bool:
        return naive.score(entry.example.title, "", learned).by_term.get(term, 0.0) >= lexicon.NEW_THRESHOLD

    print(f"\n{term}, new, from {most} titles and as many others, on toutiao: {quality(held, term, assigned)}")


def without(table: Table, term: str) -> Table:
    """`table` as if there had never been that term."""
    terms = tuple(known for known in table.terms if known.term != term)
    return replace(table, terms=terms, rows=tuple(row for row in table.rows if row.term != term))


# ---------------------------------------------------------------------------------------------- scripts, portal, cost


def scripts(judge: Lexicon, judged: Sequence[Entry]) -> None:
    """Titles converted to 繁體 beside the same in 简体."""
    titles = {entry.example.title for entry in judged}
    said = dict(wording.meanings(Path(__file__).with_name("labels.tsv"), parents()))
    lines = (SETS / "derived_toutiao_s2twp" / "dev.jsonl").read_text("utf-8").splitlines()
    rows = [row for row in map(json.loads, lines) if text.fold(row["title_hans"]) in titles]
    for key, what in (("title_hans", "简体"), ("title", "converted to 繁體")):
        shown = [Entry("toutiao", Example(text.fold(row[key]), "", *said[row["label"]])) for row in rows]
        restricted, free = _accuracy([entry for entry in shown if entry.main != "society"], by(judge), False)
        print(f"{what:20} {len(shown)} titles  restricted {restricted:.3f}  open {free:.3f}")


def portal(judge: Lexicon) -> None:
    """A portal's article, by its title and by its text."""
    lines = [line.strip() for line in PORTAL.read_text("utf-8").splitlines() if line.strip()]
    title, body = lines[3], "\n".join(lines[10:])
    for what, said in (("title", ""), ("text", body)):
        scores = judge.score(text.fold(title), text.fold(said)).by_term
        print(f"portal, {what:6}" + "".join(f"  {term} {score:.3f}" for term, score in list(scores.items())[:4]))


def _judged(judge: Lexicon, said: Sequence[tuple[str, str]]) -> None:
    for title, body in said:
        judge.score(title, body)


def cost(judge: Lexicon, judged: Sequence[Entry]) -> None:
    """Milliseconds of CPU, the least of five rounds; what the shipped lexicon takes to load, in time and memory."""
    titles = [(entry.example.title, "") for entry in judged]
    texts = [entry.example for entry in judged if len(entry.example.text) >= lexicon.OPENING]
    said = {"a title": titles[:2000]} | {
        f"a title and {most} characters": [(example.title, example.text[:most]) for example in texts[:1000]]
        for most in (500, lexicon.OPENING)
    }
    for what, pairs in said.items():
        print(f"{what}: {_least(partial(_judged, judge, pairs)) / len(pairs):.4f} ms")
    tracemalloc.start()
    kept = lexicon.load()
    size = tracemalloc.get_traced_memory()[0] / 1e6
    tracemalloc.stop()
    print(f"load: {_least(lexicon.load):.0f} ms, {size:.1f} MB, {len(kept.terms)} terms")


def _least(part: Callable[[], object]) -> float:
    taken = []
    for _ in range(5):
        start = time.process_time()
        part()
        taken.append((time.process_time() - start) * 1000)
    return min(taken)


def main() -> None:
    """Print the figures of the parts asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kept", choices=PARTS, default="fifth")
    parser.add_argument("--fifth", type=int, choices=range(5), default=0)
    parser.add_argument("--parts")
    given = parser.parse_args()
    asked = given.parts.split(",") if given.parts else PARTS[given.kept]
    if not set(asked) <= set(PARTS[given.kept]):
        parser.error(f"with --kept {given.kept} the parts are {','.join(PARTS[given.kept])}")
    everything = entries(given.fifth)
    if {"accuracy", "tech", "scripts", "cost"} & set(asked):
        on_kept(asked, given.kept, everything)
    if {"apart", "learning"} & set(asked):
        without_sina(asked, everything)
    if "portal" in asked:
        portal(lexicon.load())


def on_kept(asked: Collection[str], kept: str, everything: Sequence[Entry]) -> None:
    """The parts that judge what is kept away by what was learned from the rest."""
    judged = [entry for entry in everything if entry.part == 0]
    lexicons = learned_from(kept, everything, lambda used: Lexicon(built(used)))
    print(f"{len(judged)} titles are judged")
    if "accuracy" in asked:
        ours = by_half({half: by(judge) for half, judge in lexicons.items()})
        accuracy(judged, {"lexicon": ours, "joint machine": by_half(learned_from(kept, everything, joint))})
    if "tech" in asked:
        tech(lexicons, judged)
    for part, show in (("scripts", scripts), ("cost", cost)):
        if part in asked:
            show(lexicons[0], judged)


def without_sina(asked: Collection[str], everything: Sequence[Entry]) -> None:
    """The parts that judge sina by what was learned from the other sets."""
    sina = [entry for entry in everything if entry.name.startswith("sina")]
    used = [entry for entry in everything if entry.part and entry.name != NOISY]
    table = built(entry for entry in used if not entry.name.startswith("sina"))
    if "apart" in asked:
        apart(Lexicon(table), sina)
    if "learning" in asked:
        learning_figures(table, sina, [entry for entry in everything if entry.part == 0])


if __name__ == "__main__":
    main()
