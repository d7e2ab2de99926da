"""Identity within a document, what changed, copies across sources, published ids."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from aggregator import dedupe
from aggregator.models import Known
from tests.builders import DAY, HOUR, NOW, candidate, key, prepared, unsettled


def ids(*entries):
    return [entry_id for entry_id, _ in dedupe.identify(entries)]


def test_an_entry_is_its_own_id():
    assert dedupe.identify([prepared(id="x")]) == [("x", ())]


def test_without_an_id_the_link_serves():
    assert dedupe.identify([prepared(id=None)]) == [("http://example.org/1", ("id:link",))]


def test_without_id_and_link_an_id_is_made_that_depends_on_the_entry_alone():
    first = dedupe.identify([prepared(id=None, link=None)])
    beside = dedupe.identify([prepared(id=None, link=None, title="Other"), prepared(id=None, link=None)])
    assert first[0] == beside[1]
    assert beside[0][0] != beside[1][0]
    assert first[0][1] == ("id:made",)


def test_an_id_given_to_different_entries_is_no_identity():
    a = prepared(id="same", link="http://example.org/a", title="A")
    b = prepared(id="same", link="http://example.org/b", title="B")
    assert ids(a, b) == ["http://example.org/a", "http://example.org/b"]


def test_entries_that_share_id_and_link_are_told_apart_by_title():
    a = prepared(id="same", link="http://example.org/", title="A")
    b = prepared(id="same", link="http://example.org/", title="B")
    assert len(set(ids(a, b))) == 2


def test_two_versions_of_one_entry_stay_one():
    assert ids(prepared(content="old"), prepared(content="new")) == ["1", "1"]


@given(st.lists(st.tuples(*(st.sampled_from("abc"),) * 3), max_size=12))
def test_entries_of_different_link_or_title_always_get_different_ids(rows):
    entries = [prepared(id=i, link=f"http://example.org/{link}", title=title) for i, link, title in rows]
    pages_of = {}
    for entry, entry_id in zip(entries, ids(*entries), strict=True):
        pages_of.setdefault(entry_id, set()).add((entry.entry.link, entry.entry.title))
    assert all(len(pages) == 1 for pages in pages_of.values())


def sort(entries, known=None, announce_from=None):
    return dedupe.sort_out(entries, dedupe.identify(entries), known or {}, NOW, announce_from)


def known(entry, published=NOW - DAY):
    return Known(7, entry.digest, entry.title_key, entry.text_key, published, published)


def test_unknown_entries_are_new_oldest_first():
    newest, oldest = prepared(id="2"), prepared(id="1")
    assert [new.id for new in sort([newest, oldest]).new] == ["1", "2"]


def test_the_same_bytes_again_change_nothing():
    entry = prepared()
    found = sort([entry], {"1": known(entry)})
    assert (found.new, found.changed, found.unchanged) == ([], [], 1)


def test_a_moved_date_alone_is_no_change():
    entry = prepared(published=NOW - DAY)
    assert sort([prepared(published=NOW, updated=NOW)], {"1": known(entry)}).unchanged == 1


def test_an_edited_text_is_a_change_and_moves_updated_to_now():
    (change,) = sort([prepared(content="edited")], {"1": known(prepared())}).changed
    assert change.updated == NOW


def test_a_change_of_author_leaves_updated_where_it_was():
    (change,) = sort([prepared(author="someone")], {"1": known(prepared())}).changed
    assert change.updated == NOW - DAY


def test_the_feeds_own_updated_is_believed_when_the_text_changed():
    said = prepared(content="edited", updated=NOW - HOUR)
    assert sort([said], {"1": known(prepared())}).changed[0].updated == NOW - HOUR


def test_a_missing_date_is_the_time_of_first_seeing():
    (new,) = sort([prepared(published=None)]).new
    assert (new.published, new.repairs) == (NOW, ("date:first_seen",))


def test_a_future_date_is_clamped():
    (new,) = sort([prepared(published=NOW + DAY)]).new
    assert (new.published, new.repairs) == (NOW, ("date:clamped",))


def test_entries_before_the_backfill_are_back_issues():
    old, young = prepared(id="o", published=NOW - 8 * DAY), prepared(id="y", published=NOW - DAY)
    assert {new.id: new.back for new in sort([old, young], None, NOW - 7 * DAY).new} == {"o": True, "y": False}


def test_the_same_link_from_another_source_is_a_copy():
    found = dedupe.copy_of(unsettled(title_key=key("Another title")), [candidate()])
    assert found is not None
    assert (found[0].story, found[1]) == (5, "link")


def test_within_one_source_a_shared_link_alone_is_no_copy():
    assert dedupe.copy_of(unsettled(title_key=key("Episode 2")), [candidate(source=1)]) is None


def test_within_one_source_a_shared_link_and_title_is_a_copy():
    found = dedupe.copy_of(unsettled(), [candidate(source=1)])
    assert found is not None
    assert found[1] == "link+title"


def test_a_link_that_stands_under_several_stories_joins_by_title_only():
    shows = [candidate(story=5, title_key=key("One")), candidate(story=6, title_key=key("Two"))]
    assert dedupe.copy_of(unsettled(title_key=key("Three")), shows) is None
    found = dedupe.copy_of(unsettled(title_key=key("Two")), shows)
    assert found is not None
    assert found[0].story == 6


def test_a_link_seen_long_ago_is_no_evidence():
    assert dedupe.copy_of(unsettled(), [candidate(published=NOW - 15 * DAY)]) is None


def test_fit_ids_are_published_as_they_are():
    for fit in ("http://example.org/1", "https://例子.测试/a", "tag:example.org,2026:1", "urn:uuid:0-1"):
        assert dedupe.published_id("A", fit, taken=False) == fit


def test_unfit_or_taken_ids_become_a_urn_of_source_and_id_alone():
    for unfit in ("1234", "http://", "javascript:alert(1)", "http://exa mple.org/", 'http://e.org/"', "/1"):
        assert dedupe.published_id("A", unfit, taken=False).startswith("urn:uuid:")
    taken = dedupe.published_id("A", "http://example.org/1", taken=True)
    assert taken == dedupe.published_id("A", "http://example.org/1", taken=True)
    assert taken != dedupe.published_id("B", "http://example.org/1", taken=True)


def test_the_made_id_never_changes_between_releases():
    assert dedupe.published_id("少数派", "123", taken=False) == "urn:uuid:eb5df492-768f-574d-ae20-42459e43c5c3"


PARENTS = {"tech": None, "ai": "tech", "finance": None}


def test_a_child_belongs_to_its_parents_feed_too():
    assert dedupe.terms_of(["ai"], PARENTS) == ["ai", "tech", "all"]


def test_without_a_configured_category_a_story_is_other():
    assert dedupe.terms_of([], PARENTS) == ["other", "all"]
    assert dedupe.terms_of(["removed"], PARENTS) == ["other", "all"]


def test_order_of_copies_does_not_decide_their_evidence():
    entry = unsettled(title_key=key("Two"))
    shows = [candidate(story=5, title_key=key("One")), candidate(story=6, title_key=key("Two"))]
    assert dedupe.copy_of(entry, shows) == dedupe.copy_of(entry, shows[::-1])
    assert dedupe.copy_of(replace(entry, canonical=None), []) is None
