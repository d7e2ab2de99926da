"""A stored trace in words, and `explain` from real polls."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from aggregator import explain
from aggregator.models import Category, PublishSettings
from tests.feedserver import FeedServer
from tests.instance import Instance, item, rss

T0 = "2026-11-22T12:00:00Z"
LATER = "2026-11-22T14:00:00Z"

CATEGORIES = {
    "tech": Category("tech", "科技"),
    "ai": Category("ai", "人工智能", parent="tech"),
}


def feed(term="tech", **said):
    fields = {"published_at": T0, "live": True, "withdrawn_at": None, "why": "", "position": 1, "as_of": T0}
    return {"term": term, **fields, **said}


def trace(**said):
    fields = {
        "id": "urn:x:1",
        "source": "少数派",
        "first_seen": T0,
        "announced": "yes",
        "repairs": [],
        "duplicate_of": None,
        "evidence": None,
        "copies": [],
        "related": [],
        "categories": [],
        "kept_out": [],
        "story": {"id": "urn:x:1", "published": T0, "categories": ["tech"]},
        "feeds": [],
    }
    return fields | said


def words(limit=100, max_age=None, **said):
    return "\n".join(explain.sentences(trace(**said), PublishSettings(limit, max_age), CATEGORIES))


# ------------------------------------------------------------------------------------------------- where from


def test_the_source_and_the_poll_come_first():
    assert words().startswith("It came from 少数派, in the poll of 2026-11-22 12:00 UTC.")


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("id:link", "Its id is its link"),
        ("id:made", "Its id was made of its title, link and date"),
        ("link:guid", "Its link is its guid"),
        ("link:none", "It has no link"),
        ("link:enclosure", "the feed gives as “enclosure”"),
        ("date:first_seen", "Its date is the time of that poll"),
        ("date:clamped", "lay in the future"),
        ("date:unreadable", "a date that cannot be read"),
        ("encoding:gb18030", "decoded as gb18030"),
        ("document:mended", "was not well-formed"),
        ("moon:full", "It was repaired: moon:full."),
    ],
)
def test_each_repair_has_a_sentence(code, says):
    assert says in words(repairs=[code])


def test_an_entry_without_repairs_has_no_sentence_about_any():
    assert len(words().splitlines()) == 2


# ------------------------------------------------------------------------------------------------- copies


ORIGINAL = {"id": "urn:x:0", "source": "爱范儿"}


def evidence(level, *reasons, other="urn:x:0"):
    return {"with": other, "level": level, "score": 0.9, "reasons": list(reasons), "version": 1}


def test_a_copy_names_its_original_and_the_evidence():
    said = words(duplicate_of=ORIGINAL, evidence=evidence("same_text", "link"), feeds=[feed()])
    assert "It is a copy of urn:x:0: both link to the same page." in said
    assert "Feeds show the first entry of its story instead: urn:x:0 (爱范儿)." in said
    assert "Its story is in the feed tech (科技) since" in said


def test_an_entry_that_was_joined_by_hand_names_who_did_it():
    by_hand = {"with": "urn:x:0", "level": "join", "who": "editor"}
    assert "It was joined with urn:x:0 by editor." in words(duplicate_of=ORIGINAL, evidence=by_hand)


def test_an_original_names_its_copies_and_what_is_related():
    copies = [{"id": "urn:x:2", "source": "爱范儿", "evidence": evidence("same_text", "link+title", other="urn:x:1")}]
    said = words(copies=copies, related=[{"id": "urn:x:3", "source": "机核", "evidence": evidence("related", "link")}])
    assert "urn:x:2 (爱范儿) is a copy of urn:x:1: both link to the same page and have the same title." in said
    assert "urn:x:3 (机核) is related to it: both link to the same page." in said


# ------------------------------------------------------------------------------------------------- categories


def filing(term, origin="source", reason="", score=None):
    return {"term": term, "origin": origin, "reason": reason, "score": score}


def test_each_category_has_its_voice_and_its_reason():
    said = words(
        categories=[filing("tech"), filing("ai", "rule", "2: 模型 + /GPT: \\d/"), filing("ai", "oracle", "0.9")]
    )
    assert "filed under tech (科技) by its source" in said
    assert "filed under ai (人工智能) by rule 2 of that category, which found 模型 + /GPT: \\d/." in said
    assert "by oracle: 0.9." in said


def test_the_voices_of_a_category_come_in_order():
    said = words(categories=[filing("tech", origin, "1: x") for origin in ("lexicon", "rule", "source", "editor")])
    assert [said.index(by) for by in ("by hand", "by its source", "by rule 1", "by the lexicon")] == sorted(
        said.index(by) for by in ("by hand", "by its source", "by rule 1", "by the lexicon")
    )


@pytest.mark.parametrize(
    ("origin", "reason", "says"),
    [
        ("editor", "li", "by li, by hand."),
        ("rule", "source 3: 芯片", "by rule 3 of its source, which found 芯片."),
        (
            "rule",
            "1: a\n2: b",
            "by rule 1 of that category, which found a and by rule 2 of that category, which found b.",
        ),
        (
            "lexicon",
            "words: 手机 +4.00, 电脑 +2.00\nprior +0.70\nsource 1 -0.50: 抽奖\nthreshold 0.50",
            "by the lexicon with a score of 3.20 (threshold 0.50): 手机 +4.00, 电脑 +2.00; the source's prior +0.70;"
            " rule 1 of its source -0.50, which found 抽奖.",
        ),
    ],
)
def test_each_voice_says_what_it_heard(origin, reason, says):
    assert says in words(categories=[filing("tech", origin, reason, 3.2)])


def test_what_keeps_an_entry_out_is_said():
    only = {"origin": "rule", "reason": "only ai: source 2: 模型"}
    assert explain.voice(only) == "rule 2 of its source, which found 模型 and files under ai only"
    above = {"origin": "rule", "reason": "above tech: 2: 招聘"}
    assert explain.voice(above) == "rule 2 of tech, which found 招聘 and keeps out of all below tech too"


def test_a_category_that_the_configuration_no_longer_has_is_said():
    assert "filed under cars by its source (`category` in sources.yaml). The configuration has no such" in words(
        categories=[filing("cars")]
    )


def test_a_feed_whose_category_was_removed_is_said():
    said = words(feeds=[feed("birds"), feed(), feed("all"), feed("other")])
    assert "in the feed birds since 2026-11-22 12:00 UTC, number 1 from the newest. The configuration has no" in said
    assert said.count("The configuration has no such category now.") == 1


def test_an_entry_without_a_category_is_said():
    assert "It is in no category: no editor, source or rule files it, and no score" in words()


# ------------------------------------------------------------------------------------------------- feeds


def test_a_story_in_the_live_feed_has_its_place():
    assert "It is in the feed tech (科技) since 2026-11-22 12:00 UTC, number 7 from the newest." in words(
        feeds=[feed(position=7)]
    )


def test_a_parents_feed_says_for_which_child():
    story = {"id": "urn:x:1", "published": T0, "categories": ["ai"]}
    assert "It is in the feed tech (科技), the parent of ai, since" in words(story=story, feeds=[feed()])


def test_feeds_of_our_own_say_what_they_are():
    alone = {"id": "urn:x:1", "published": T0, "categories": []}
    assert "the feed all (every story) since" in words(feeds=[feed("all")])
    assert "the feed other (stories without a category) since" in words(feeds=[feed("other")], story=alone)
    assert "the feed other (it had no category then) since" in words(feeds=[feed("other")])


def test_a_story_behind_the_limit_is_no_longer_in_the_live_feed():
    said = words(limit=10, feeds=[feed(position=11), feed("all", position=10)])
    assert "no longer in the live feed: it is number 11 from the newest, and publish.limit is 10" in said
    assert "number 10 from the newest." in said


def test_a_story_past_max_age_is_no_longer_in_the_live_feed():
    day = timedelta(days=1)
    assert "older than publish.max_age" in words(max_age=day, feeds=[feed(as_of="2026-11-23T12:00:01Z")])
    assert "older" not in words(max_age=day, feeds=[feed(as_of="2026-11-23T12:00:00Z")])


def test_a_withdrawn_story_says_by_whom():
    said = words(feeds=[feed(withdrawn_at=LATER, why="hidden by mei", position=None)])
    assert "It was in the feed tech (科技) since 2026-11-22 12:00 UTC and was withdrawn on 2026-11-22 14:00 UTC" in said
    assert "hidden by mei." in said


def test_a_back_issue_says_why_it_is_not_announced():
    said = words(announced="back issue", feeds=[feed(live=False, position=None)])
    assert "It is a back issue: older than publish.backfill" in said
    assert "as a back issue: not in the live feed" in said


def test_a_reissued_entry_is_in_no_feed_and_says_why():
    said = words(announced="re-issued", categories=[filing("tech")])
    assert "Its source had re-issued its archive" in said
    assert "younger" not in said


def test_an_entry_that_waits_is_said():
    assert "It waits for its story: the next tick decides" in words(story=None)


def test_a_category_that_came_after_the_entry_is_not_its_feed():
    assert "It is not in the feed ai: the category is younger" in words(
        categories=[filing("ai"), filing("tech")], feeds=[feed()]
    )


# ------------------------------------------------------------------------------------------------- the command


@pytest.fixture(scope="module")
def polled(tmp_path_factory):
    """Sources A (three entries, one without a date) and B (a copy with a tracking parameter, an id of A's)."""
    instance = Instance(tmp_path_factory.mktemp("polled"))
    with FeedServer() as feeds:
        feeds["/A.xml"] = rss(item(1, "人工智能"), item(2, date=None), item(3))
        feeds["/B.xml"] = rss(
            item("b", "Elsewhere", "http://example.org/2?utm_source=b"), item(3, "Mine", "http://b.example/3")
        )
        sources = [
            {"name": "A", "url": feeds.url("/A.xml"), "category": "finance"},
            {"name": "B", "url": feeds.url("/B.xml")},
        ]
        instance.configure(sources, publish={"limit": 2})
        instance.poll("--now", T0)
    return instance


def test_explain_tells_the_story_of_an_entry(polled):
    said = polled.command("explain", "http://example.org/1?utm_medium=x").stdout
    assert said.startswith("人工智能\n  published as urn:uuid:")
    assert "It came from A, in the poll of 2026-11-22 12:00 UTC." in said
    assert "filed under ai (人工智能) by rule 1 of that category, which found 人工智能." in said
    assert "It is in the feed tech (科技), the parent of ai, since 2026-11-22 12:00 UTC, number 1 from" in said
    assert "publish.limit is 2" in said
    copy = polled.command("explain", "guid-2").stdout
    assert "Its date is the time of that poll: the feed gives it none." in copy
    assert ": both link to the same page." in copy


def test_explain_as_json_has_codes_and_sentences(polled):
    said = json.loads(polled.command("explain", "--json", "guid-2").stdout)
    assert said["repairs"] == ["date:first_seen"]
    assert said["source"] == "A"
    assert said["duplicate_of"]["source"] == "B"
    assert {row["term"] for row in said["feeds"]} == {"finance", "other", "all"}
    assert said["sentences"][0].startswith("It came from A")
    assert said == json.loads(polled.command("explain", "--json", said["id"]).stdout)


def test_several_matches_are_listed(polled):
    said = polled.command("explain", "guid-3", code=1).stderr
    assert "2 entries are known as guid-3; name one of:" in said
    assert "A: Story 3" in said
    assert "B: Mine" in said


def test_an_entry_that_is_not_there_is_said(polled):
    assert "no entry is known as guid-99" in polled.command("explain", "guid-99", code=1).stderr


def test_a_hidden_story_says_who_hid_it(polled):
    polled.command("hide", json.loads(polled.command("explain", "--json", "http://b.example/3").stdout)["id"])
    polled.poll("--now", LATER)
    said = polled.command("explain", "http://b.example/3").stdout
    assert "withdrawn on 2026-11-22 14:00 UTC: hidden by " in said


def test_what_an_editor_keeps_out_is_said_until_it_is_undone(polled):
    found = json.loads(polled.command("explain", "--json", "http://example.org/1").stdout)
    polled.command("unfile", found["id"], "tech")
    said = polled.command("explain", found["id"]).stdout
    assert "It is kept out of tech (科技) by " in said
    assert "by hand." in said
    polled.command("unfile", "--undo", found["id"], "tech")
    assert "kept out" not in polled.command("explain", found["id"]).stdout
