"""Every figure of the recognition of stories, over ../shared/corpus, with what it cost.

    python -m tests.bench.stories [--random 1000000] [--seed 1]

The weights were fitted to labelled/pairs, labelled/handmade and labelled/window: what unseen ones would get is printed
by `python -m tests.bench.fitting`.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import opencc

from aggregator import stories, urls
from aggregator.cli import comparing
from aggregator.stories import titles
from tests.bench import pairs, streaming

CORPUS = pairs.PAIRS.parent
COMPARED = 1000
Variant = Callable[[dict[str, Any], random.Random], dict[str, Any]]


COMPARER = comparing.Comparer(stories.load_aliases(), urls.DEFAULT)


def both(row: dict[str, Any], side: str, source: str) -> dict[str, Any]:
    """An article as one `side` of a row, without a date."""
    said = {"title": row["title"], "text": row["text"], "link": row.get("link", ""), "feed": source}
    return {f"{key}_{side}": value for key, value in said.items()}


def entry(row: dict[str, Any], source: str) -> stories.Said:
    """An article as an entry of a source, without a date."""
    return COMPARER.entry(both(row, "a", source), "a")


def articles_of(corpus: Path) -> list[dict[str, Any]]:
    """The articles, each with a link of its own."""
    path = corpus / "datasets" / "sina2018_fulltext" / "dev.jsonl"
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return [row | {"link": f"https://news.example.org/a/{row['id']}.html"} for row in rows]


def verdicts(rows: Iterable[dict[str, Any]], *, feed: bool = True) -> list[stories.Verdict]:
    """What each row's two entries are to each other."""
    hidden = ("feed", "feed_a", "feed_b") if not feed else ()
    return [COMPARER.verdict({key: value for key, value in row.items() if key not in hidden}) for row in rows]


# ---------------------------------------------------------------------------------------------- pairs


def labelled(name: str, rows: Sequence[dict[str, Any]]) -> None:
    """Precision and recall of joins and links over the rows whose label is sure."""
    sure = [row for row in rows if row.get("sure", True)]
    found = verdicts(sure)
    positive = [pairs.is_positive(row) for row in sure]
    for what, hits in (("join", [each.joins for each in found]), ("link", [each.links for each in found])):
        true = sum(hit and label for hit, label in zip(hits, positive, strict=True))
        false = sum(hits) - true
        print(
            f"{name:18} {what}  P {true / (sum(hits) or 1):.3f}  R {true / sum(positive):.3f}"
            f"  false {false} of {len(sure) - sum(positive)} negatives"
        )


def share(name: str, rows: Sequence[dict[str, Any]], *, feed: bool = True) -> None:
    """The share of the rows that are joined."""
    joined = sum(verdict.joins for verdict in verdicts(rows, feed=feed))
    print(f"{name:32} joined {joined} of {len(rows)} ({joined / (len(rows) or 1):.4f})")


def pair_sets() -> None:
    """The sets of pairs, each as it is."""
    labelled("pairs", pairs.rows("labelled/pairs"))
    labelled("handmade", pairs.rows("labelled/handmade"))
    labelled("window, by pairs", pairs.window())
    share("serial_column", pairs.rows("serial_column"))
    share("serial_column, feed hidden", pairs.rows("serial_column"), feed=False)
    share("syndicated_exact", pairs.rows("syndicated_exact"))
    share("title_edit", pairs.rows("title_edit"))
    variants = pairs.rows("url_variant")
    share("url_variant, same", [row for row in variants if pairs.is_positive(row)])
    share("url_variant, different", [row for row in variants if not pairs.is_positive(row)])
    share("same_title_diff_item", pairs.rows("same_title_diff_item"))


# ---------------------------------------------------------------------------------------------- articles, variants

_HANT = opencc.OpenCC("s2twp")
# The padding of ../shared/reference/portal-article.txt, for any article.
_BEFORE = (
    "每日资讯网\n\n > 新闻\n\n > {title}\n\n{title}\n\n新闻 更新时间:2024-10-06 02:19:28\n\n{title}?记者 | 王某编辑 | ,"
    "下面我们就来聊聊关于{title}?接下来我们就一起去了解一下吧!\n\n{title}1\n\n"
)
_AFTER = "\n\n,\n\n更多精彩资讯请关注每日资讯网,我们将持续为您更新最新资讯!\n\n查看全部\n\n相关新闻资讯推荐\n"


def in_hant(row: dict[str, Any], _: random.Random) -> dict[str, Any]:
    return {"title": _HANT.convert(row["title"]), "text": _HANT.convert(row["text"][:2000])}


def with_suffix(row: dict[str, Any], _: random.Random) -> dict[str, Any]:
    return {"title": row["title"] + "_新浪新闻", "text": row["text"] + "（新浪网）"}


def padded(row: dict[str, Any], _: random.Random) -> dict[str, Any]:
    before = _BEFORE.format(title=row["title"])
    return {"title": row["title"] + "?", "text": before + row["text"] + _AFTER}


def cut(row: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """A fifth of the text is missing, somewhere."""
    size = len(row["text"]) // 5
    start = chance.randrange(len(row["text"]) - size + 1)
    return {"title": row["title"], "text": row["text"][:start] + row["text"][start + size :]}


def edited(row: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """One in twenty characters is another one, left out or doubled, in the title too."""
    return {"title": _edited(row["title"], chance), "text": _edited(row["text"], chance)}


def renamed(row: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """As `edited`, under half the title."""
    return {"title": row["title"][: len(row["title"]) // 2], "text": _edited(row["text"], chance)}


def _edited(said: str, chance: random.Random) -> str:
    return "".join(sign if chance.random() >= 0.05 else chance.choice(("", "某", sign * 2)) for sign in said)


def tracked(row: dict[str, Any], _: random.Random) -> dict[str, Any]:
    return row | {"link": row["link"] + "?utm_source=feed&utm_medium=rss"}


VARIANTS: dict[str, Variant] = {
    "繁體 (s2twp)": in_hant,
    "source suffix": with_suffix,
    "padding": padded,
    "20 % cut": cut,
    "5 % edited": edited,
    "5 % edited, half a title": renamed,
    "tracking URL": tracked,
}


def articles(seed: int, count: int) -> None:
    """Each article against its own variants, with and without its title, and random others."""
    rows = articles_of(CORPUS)
    originals = [entry(row, "甲") for row in rows]
    chance = random.Random(seed)
    for name, vary in VARIANTS.items():
        others = [entry(vary(row, chance), "乙") for row in rows]
        levels = Counter(stories.compare(a, b).level for a, b in zip(originals, others, strict=True))
        same = levels[stories.Level.SAME_TEXT] / len(rows)
        print(f"article and its variant: {name:26} same text {same:.4f}  {dict(levels)}")
    strangers(originals, count, chance)


def strangers(originals: Sequence[stories.Said], count: int, chance: random.Random) -> None:
    """Random pairs of articles, no two of one title, as if of different sources and without dates."""
    others = [stories.Said(each.title, "乙", None, None, None, each.fingerprint) for each in originals]
    joined = 0
    for _ in range(count):
        a, b = chance.choice(originals), chance.choice(others)
        if a.title != b.title and stories.compare(a, b).joins:
            joined += 1
            print(f"    joined: {a.title} | {b.title}")
    print(f"random pairs of articles: {joined} joined of {count}")


# ---------------------------------------------------------------------------------------------- cost


def cost() -> None:
    """Entries a second and core: folding, print, and four comparisons; and how large prints are."""
    rows = articles_of(CORPUS)[:2000]
    for name, body in (("1,000-character texts", COMPARED), ("titles alone", 0)):
        titles.read.cache_clear()
        started = time.process_time()
        made = [entry(row | {"text": row["text"][:body]}, "甲") for row in rows]
        printed = time.process_time()
        for place, one in enumerate(made):
            for step in (1, 2, 3, 4):
                stories.compare(one, made[place - step])
        ended = time.process_time()
        before, after = 1e6 * (printed - started) / len(rows), 1e6 * (ended - printed) / len(rows)
        keys = sum(len(one.fingerprint.keys) for one in made) / len(made)
        size = sum(len(one.fingerprint.pack()) for one in made) / len(made)
        print(
            f"{name}: {1e6 / (before + after):.0f} entries/s (fold and print {before:.0f} µs, four comparisons"
            f" {after:.0f} µs); {keys:.1f} keys, print of {size:.0f} bytes"
        )


def candidates() -> None:
    """Of the labelled positive pairs how many share a key, and how many pass the first gate."""
    positive = [row for row in (*pairs.rows("labelled/pairs"), *pairs.window()) if pairs.is_positive(row)]
    prints = [(COMPARER.entry(row, "a").fingerprint, COMPARER.entry(row, "b").fingerprint) for row in positive]
    shared = [len({*a.title_keys} & {*b.title_keys}) for a, b in prints]
    passed = sum(
        number > 0 and stories.Glance(COMPARER.entry(row, "a")).promise(b, COMPARER.entry(row, "b").published) > 0
        for row, (_, b), number in zip(positive, prints, shared, strict=True)
    )
    found = dict(sorted(Counter(min(number, 3) for number in shared).items()))
    print(f"positive pairs by shared title keys (3: or more): {found}; of {len(positive)} {passed} pass the first gate")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--random", type=int, default=1_000_000, help="random pairs of articles")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    started = time.monotonic()
    pair_sets()
    candidates()
    articles(arguments.seed, arguments.random)
    cost()
    streaming.window(pairs.rows("labelled/window"))
    streaming.orders(pairs.rows("labelled/window"), 20)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"all this took {time.monotonic() - started:.0f} s and {memory:.0f} MB")


if __name__ == "__main__":
    main()
