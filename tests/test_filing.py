"""Filing by hand, and filing anew: through the command, to what a subscriber sees."""

from __future__ import annotations

import io
import json

import feedparser
import pytest
import yaml

from tests.instance import Instance, item, rss

NOW = "2026-11-22T12:00:00Z"
LATER = "2026-11-22T12:10:00Z"
TITLES = {1: "春天的花园里种满了郁金香", 2: "老城区的茶馆重新开张", 3: "邮差骑车走遍全岛"}
CATEGORIES = [
    {"term": "tech", "label": "科技", "threshold": 20},
    {"term": "ai", "label": "人工智能", "parent": "tech", "threshold": 20},
    {"term": "tea", "label": "茶"},
]


@pytest.fixture
def polled(instance, feeds) -> Instance:
    feeds["/A.xml"] = rss(*(item(number, title) for number, title in TITLES.items()))
    sources = [{"name": "A", "url": feeds.url("/A.xml")}]
    instance.configure(sources, categories=CATEGORIES)
    instance.poll("--now", NOW)
    return instance


def titles(instance: Instance, term: str) -> list[str]:
    return sorted(entry.title for entry in feedparser.parse(io.BytesIO(instance.feed(f"{term}.atom"))).entries)


def rules(instance: Instance, **by_term: list[dict[str, object]]) -> None:
    """Write the categories anew, with these rules."""
    categories = [each | ({"rules": by_term[each["term"]]} if each["term"] in by_term else {}) for each in CATEGORIES]
    written = yaml.safe_dump({"categories": categories}, allow_unicode=True)
    (instance.config / "categories.yaml").write_text(written, "utf-8")


def of(instance: Instance, number: int) -> str:
    return next(row["id"] for row in instance.export("entries") if row["title"] == TITLES[number])


def planned(instance: Instance) -> dict[str, tuple[list[str], list[str]]]:
    rows = json.loads(instance.command("plan", "--json").stdout)
    return {
        row["term"]: ([move["title"] for move in row["enters"]], [move["title"] for move in row["leaves"]])
        for row in rows
    }


# ------------------------------------------------------------------------------------------------- by hand


def test_an_entry_filed_by_hand_is_in_the_feed_and_its_parents(polled):
    polled.command("file", of(polled, 1), "ai")
    polled.poll("--now", LATER)
    assert titles(polled, "ai") == titles(polled, "tech") == [TITLES[1]]
    assert TITLES[1] not in titles(polled, "other")
    assert ", by hand" in polled.command("explain", of(polled, 1)).stdout
    polled.command("file", of(polled, 1), "ai", "--undo")
    polled.poll("--now", "2026-11-22T12:20:00Z")
    assert titles(polled, "ai") == titles(polled, "tech") == []
    assert len(titles(polled, "other")) == 3


def test_an_entry_kept_out_by_hand_stays_out_of_all_below(polled):
    entry = of(polled, 1)
    polled.command("file", entry, "ai")
    polled.poll("--now", LATER)
    polled.command("unfile", entry, "tech")
    polled.poll("--now", "2026-11-22T12:20:00Z")
    assert titles(polled, "ai") == titles(polled, "tech") == []
    rules(polled, tech=[{"any": "郁金香"}])
    assert planned(polled) == {}, "the editor's word holds against rules"
    polled.command("unfile", entry, "tech", "--undo")
    polled.poll("--now", "2026-11-22T12:30:00Z")
    assert titles(polled, "ai") == [TITLES[1]]


def test_an_unknown_category_is_named_with_the_nearest(polled):
    assert "did you mean tech" in polled.command("file", of(polled, 1), "tehc", code=2).stderr


# ------------------------------------------------------------------------------------------------- plan, apply


def test_a_plan_shows_what_an_edit_would_change_and_changes_nothing(polled):
    before = polled.feed("tea.atom")
    rules(polled, tea=[{"any": "茶馆"}])
    assert planned(polled) == {"tea": ([TITLES[2]], []), "other": ([], [TITLES[2]])}
    said = polled.command("plan").stdout
    assert "tea (茶): +1 -0" in said
    assert f"+ {TITLES[2]}  (A; tea rule 1: 茶馆)" in said
    assert polled.feed("tea.atom") == before


def test_apply_does_what_the_plan_said_and_nothing_is_left_to_do(polled):
    rules(polled, tea=[{"any": "茶馆"}], ai=[{"any": "邮差"}])
    plan = planned(polled)
    polled.command("apply")
    assert titles(polled, "tea") == plan["tea"][0]
    assert titles(polled, "ai") == titles(polled, "tech") == plan["ai"][0]
    assert titles(polled, "other") == [TITLES[1]]
    assert planned(polled) == {}
    assert polled.command("plan").stdout == "Nothing changes.\n"


def test_what_apply_brings_into_a_feed_stands_in_it_as_in_the_others(instance, feeds):
    feeds["/A.xml"] = rss(*(item(n, f"茶馆开张之{n}", date=f"2026-11-22T0{n}:00:00Z") for n in (5, 3, 1, 4, 2)))
    instance.configure([{"name": "A", "url": feeds.url("/A.xml")}], CATEGORIES, publish={"limit": 3})
    instance.poll("--now", NOW)
    rules(instance, tea=[{"any": "茶馆"}])
    instance.command("apply")
    shown = [
        [entry.title for entry in feedparser.parse(instance.feed(f"{term}.atom")).entries] for term in ("all", "tea")
    ]
    assert shown == [["茶馆开张之5", "茶馆开张之4", "茶馆开张之3"]] * 2


def test_what_was_filed_twice_stays_filed_until_both_are_undone(polled):
    entry = of(polled, 1)
    for undo, filed in (((), True), ((), True), (("--undo",), True), (("--undo",), False)):
        polled.command("file", *undo, entry, "ai")
        polled.poll("--now", LATER)
        assert (titles(polled, "ai") == [TITLES[1]]) is filed
        assert polled.command("plan").stdout == "Nothing changes.\n"


@pytest.mark.parametrize("days", ["nan", "inf", "-1", "800000", "soon"])
def test_what_is_no_number_of_days_is_a_usage_error(polled, days):
    for command in ("plan", "stories"):
        assert "is not a number of days" in polled.command(command, f"--days={days}", code=2).stderr


def test_what_leaves_and_comes_back_has_its_old_place(polled):
    rules(polled, tea=[{"any": ["茶馆", "邮差"]}])
    polled.command("apply")
    order = [entry.id for entry in feedparser.parse(io.BytesIO(polled.feed("tea.atom"))).entries]
    rules(polled, tea=[{"any": "茶馆"}])
    polled.command("apply")
    assert titles(polled, "tea") == [TITLES[2]]
    rules(polled, tea=[{"any": ["茶馆", "邮差"]}])
    polled.command("apply")
    assert [entry.id for entry in feedparser.parse(io.BytesIO(polled.feed("tea.atom"))).entries] == order


def test_what_is_old_enters_a_category_without_being_announced(polled):
    polled.poll("--now", "2026-12-22T12:00:00Z")
    rules(polled, tea=[{"any": "茶馆"}])
    polled.command("apply")
    assert titles(polled, "tea") == []
    (row,) = [row for row in polled.export("stories") if row["title"] == TITLES[2]]
    assert row["categories"] == ["tea"]


def test_a_category_that_gets_another_parent_takes_its_stories_along(polled):
    rules(polled, ai=[{"any": "邮差"}])
    polled.command("apply")
    assert titles(polled, "ai") == titles(polled, "tech") == [TITLES[3]]
    moved = [{**each, "parent": "tea"} if each["term"] == "ai" else each for each in CATEGORIES]
    moved[1]["rules"] = [{"any": "邮差"}]
    (polled.config / "categories.yaml").write_text(yaml.safe_dump({"categories": moved}, allow_unicode=True), "utf-8")
    assert planned(polled) == {"tea": ([TITLES[3]], []), "tech": ([], [TITLES[3]])}
    polled.command("apply")
    assert titles(polled, "ai") == titles(polled, "tea") == [TITLES[3]]
    assert titles(polled, "tech") == []
    assert planned(polled) == {}


def test_a_hidden_story_leaves_a_category_for_good(polled):
    rules(polled, tea=[{"any": "茶馆"}])
    polled.command("apply")
    polled.command("hide", of(polled, 2))
    polled.poll("--now", LATER)
    rules(polled)
    polled.command("apply")
    assert planned(polled) == {}
    polled.command("hide", of(polled, 2), "--undo")
    polled.poll("--now", "2026-11-22T12:20:00Z")
    assert titles(polled, "tea") == []
    assert TITLES[2] in titles(polled, "other")


def test_a_hidden_story_stays_hidden_when_it_is_filed_anew(polled):
    polled.command("hide", of(polled, 2))
    polled.poll("--now", LATER)
    rules(polled, tea=[{"any": "茶馆"}])
    assert planned(polled) == {}
    assert "Nothing changes" in polled.command("plan").stdout
    polled.command("apply")
    assert titles(polled, "tea") == []
    polled.command("hide", of(polled, 2), "--undo")
    polled.poll("--now", "2026-11-22T12:20:00Z")
    assert titles(polled, "tea") == [TITLES[2]]


def test_status_says_when_what_is_stored_was_filed_by_other_rules(polled):
    assert "filed by other rules" not in polled.command("status").stdout
    rules(polled, tea=[{"any": "茶馆"}])
    assert "3 stored entries were filed by other rules" in polled.command("status").stdout
    polled.command("apply")
    assert "filed by other rules" not in polled.command("status").stdout


def test_a_running_daemon_files_anew_in_the_background(polled):
    polled.start()
    rules(polled, tea=[{"any": "茶馆"}])
    polled.wait_for(lambda: any("configuration" in line for line in polled.lines))
    assert "in the background" in polled.command("apply").stdout
    polled.wait_for(lambda: titles(polled, "tea") == [TITLES[2]])


# ------------------------------------------------------------------------------------------------- learning


def test_corrections_teach_what_arrives_later_and_file_nothing_again(polled, feeds):
    assert polled.command("lexicon", "learned").stdout == ""
    polled.command("file", of(polled, 2), "tea")
    polled.poll("--now", LATER)
    rows = [json.loads(line) for line in polled.command("lexicon", "learned", "--json").stdout.splitlines()]
    assert {row["term"] for row in rows} == {"tea"}
    assert any(row["word"] == "茶馆" and row["weight"] > 0 for row in rows)
    assert titles(polled, "tea") == [TITLES[2]], "what is stored is not filed anew by that"
    assert "茶馆" in polled.command("lexicon", "learned", "--term", "tea").stdout
    assert polled.command("lexicon", "learned", "--term", "ai").stdout == ""
    assert "did you mean tea?" in polled.command("lexicon", "learned", "--term", "tee", code=2).stderr
    polled.command("lexicon", "forget")
    polled.poll("--now", "2026-11-22T12:20:00Z")
    assert polled.command("lexicon", "learned").stdout == ""


def test_an_undone_correction_takes_back_what_it_taught_and_nothing_else(polled):
    minutes = iter(range(10, 60, 5))

    def correct(*said):
        polled.command(*said)
        polled.poll("--now", f"2026-11-22T12:{next(minutes)}:00Z")
        return polled.command("lexicon", "learned").stdout

    taught = correct("file", of(polled, 2), "tea")
    assert correct("file", of(polled, 1), "tea") != taught
    assert correct("file", of(polled, 1), "tea", "--undo") == taught
    correct("lexicon", "forget")
    taught = correct("file", of(polled, 1), "tea")
    assert correct("file", of(polled, 2), "tea", "--undo") == taught
    assert correct("file", of(polled, 1), "tea", "--undo") == ""
