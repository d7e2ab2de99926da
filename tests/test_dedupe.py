"""Identity within a document, what changed, copies across sources, published ids."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator import dedupe, urls
from aggregator.models import Enclosure, Known
from tests.builders import DAY, HOUR, NOW, candidate, key, prepared, unsettled


def identify(*entries, id_by="own"):
    """The code and id of each entry."""
    return [identity.rungs[identity.start] for identity in dedupe.identify(entries, id_by)]


def ids(*entries):
    return [entry_id for _, entry_id in identify(*entries)]


def test_an_entry_is_its_own_id():
    assert identify(prepared(id="x")) == [("own", "x")]


def test_without_an_id_the_link_serves():
    assert identify(prepared(id=None)) == [("link", "http://example.org/1")]


def test_without_id_and_link_an_id_is_made_that_depends_on_the_entry_alone():
    first = identify(prepared(id=None, link=None))
    beside = identify(prepared(id=None, link=None, title="Other"), prepared(id=None, link=None))
    assert first[0] == beside[1]
    assert beside[0] != beside[1]
    assert first[0][0] == "made"


def test_entries_of_which_only_the_text_is_known_are_told_apart_by_it():
    bare = {"id": None, "link": None, "title": ""}
    assert len(set(ids(prepared(**bare, content="a"), prepared(**bare, content="b"), prepared(**bare)))) == 3


def test_a_front_page_is_no_identity():
    entry = replace(prepared(id=None, link="http://example.org/"), canonical=None)
    assert identify(entry)[0][0] == "made"


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


NO_HORIZON = dedupe.Horizon()


def sort(entries, known=(), horizon=NO_HORIZON, id_by="own"):
    identities = dedupe.identify(entries, id_by)
    return dedupe.sort_out(entries, identities, known, NOW, horizon, id_by)


def known(entry, row=7, published=NOW - DAY, entry_id=None, dated=None):
    said = entry.entry
    return Known(
        row,
        entry_id or said.id,
        entry.canonical,
        entry.digest,
        entry.title_key,
        entry.text_key,
        said.published or published,
        published,
        said.published is not None if dated is None else dated,
    )


def test_unknown_entries_are_new_oldest_first():
    newest, oldest = prepared(id="2"), prepared(id="1")
    assert [new.id for new in sort([newest, oldest]).new] == ["1", "2"]


def test_the_same_bytes_again_change_nothing():
    found = sort([prepared()], [known(prepared())])
    assert (found.new, found.changed, found.unchanged) == ([], [], 1)


def test_a_moved_date_alone_is_no_change():
    entry = prepared(published=NOW - DAY)
    assert sort([prepared(published=NOW, updated=NOW)], [known(entry)]).unchanged == 1


entries = st.builds(
    prepared,
    id=st.sampled_from([None, "1", "2", "http://example.org/1", "http://example.org/1#2"]),
    link=st.sampled_from([None, "http://example.org/1", "http://example.org/2"]),
    title=st.sampled_from(["", "A", "B"]),
    content=st.sampled_from(["", "text", "other"]),
    published=st.sampled_from([None, NOW - DAY, NOW - HOUR, NOW + DAY]),
)


@given(st.lists(entries, max_size=8))
def test_a_document_that_is_sorted_again_changes_nothing(document):
    first = sort(document)
    stored = [
        known(new.prepared, row, new.published, new.id, new.prepared.entry.published is not None)
        for row, new in enumerate(first.new)
    ]
    again = sort(document, [replace(one, published=new.published) for one, new in zip(stored, first.new, strict=True)])
    assert (again.new, again.changed) == ([], [])


def test_an_edited_text_is_a_change():
    (change,) = sort([prepared(content="edited")], [known(prepared())]).changed
    assert change.known.row == 7


def test_two_versions_in_one_document_are_one_entry():
    found = sort([prepared(content="old"), prepared(content="new")])
    assert [new.prepared.entry.content for new in found.new] == ["old"]


def test_a_missing_date_is_the_time_of_first_seeing():
    (new,) = sort([prepared(published=None)]).new
    assert (new.published, new.repairs) == (NOW, ("date:first_seen",))


def test_a_future_date_is_clamped():
    (new,) = sort([prepared(published=NOW + DAY)]).new
    assert (new.published, new.repairs) == (NOW, ("date:clamped",))


def test_how_an_id_was_repaired_is_noted():
    assert sort([prepared(id=None, published=NOW)]).new[0].repairs == ("id:link",)


# ------------------------------------------------------------------------------------------------- ids that are none


def page(number, **said):
    return prepared(
        **{"id": str(number), "link": f"http://example.org/{number}", "title": f"T{number}", "published": NOW - DAY}
        | said
    )


def test_new_ids_for_old_entries_are_no_new_entries():
    stored = [known(page(k), row=k) for k in range(3)]
    found = sort([page(k, id=f"session-9-{k}") for k in range(3)], stored)
    assert (found.new, found.changed, found.unchanged) == ([], [], 3)


def test_new_ids_and_dates_for_old_entries_are_no_new_entries():
    """As a generator makes them that gives each entry a random id and the present time."""
    stored = [known(page(k), row=k) for k in range(3)]
    found = sort([page(k, id=f"session-9-{k}", published=NOW) for k in range(3)], stored)
    assert (found.new, found.changed, found.unchanged) == ([], [], 3)


def test_an_entry_that_gets_another_id_and_its_first_date_is_no_new_entry():
    assert sort([page(1, id="tag:1")], [known(page(1, published=None))]).new == []


def test_an_edit_of_the_author_counts_though_the_id_is_another_one():
    found = sort([page(1, id="session-9-1", author="someone")], [known(page(1))])
    assert (found.new, len(found.changed)) == ([], 1)


def test_an_entry_whose_id_and_text_changed_is_found_by_its_page():
    found = sort([page(1, id="other", content="edited")], [known(page(1))])
    assert (found.new, found.changed[0].known.row) == ([], 7)


def episode(number, **said):
    show = {"id": f"e{number}", "link": "http://example.org/show", "published": NOW - DAY}
    sound = Enclosure(f"http://example.org/{number}.mp3", "audio/mpeg")
    return prepared(**show | {"enclosures": (sound,)} | said)


def test_episodes_that_share_page_title_and_text_stay_apart_by_date():
    found = sort([episode(2, published=NOW)], [known(episode(1))])
    assert [new.id for new in found.new] == ["e2"]


@pytest.mark.parametrize("link", ["http://example.org/show", None])
def test_entries_without_ids_on_one_page_are_told_apart_by_title(link):
    """A first document shows that the page is shared, the later ones bring one entry each."""
    first = [episode(k, id=None, link=link, title=f"T{k}") for k in (1, 2)]
    stored = [known(e, row=k, entry_id=i) for k, (e, i) in enumerate(zip(first, ids(*first), strict=True))]
    for number in (3, 4):
        late = episode(number, id=None, link=link, title=f"T{number}", published=NOW - HOUR * (9 - number))
        found = sort([late], stored)
        assert [new.prepared.entry.title for new in found.new] == [f"T{number}"]
        assert sort([late], [*stored, known(late, row=9, entry_id=found.new[0].id)]).unchanged == 1
        stored.append(known(late, row=number, entry_id=found.new[0].id))


def test_a_page_of_one_entry_that_turns_out_to_be_shared_swallows_none():
    stored = [known(episode(1, id=None, title="T1"), entry_id="http://example.org/show")]
    late = [episode(k, id=None, title=f"T{k}", published=NOW) for k in (2, 3)]
    assert len(sort(late, stored).new) == 2


def test_an_id_that_only_counts_does_not_swallow_the_entry_it_moves_to():
    """Positions as ids: yesterday's first entry is today's second."""
    stored = [known(page(5, id="1", published=NOW - DAY), row=5)]
    today = [page(6, id="1", published=NOW), page(5, id="2", published=NOW - DAY)]
    found = sort(today, stored)
    assert [(new.id, new.prepared.entry.title) for new in found.new] == [("http://example.org/6", "T6")]


def test_an_id_that_only_counts_is_not_told_by_a_date_that_several_entries_have():
    """Dates without a time of day: today's first entry has the date of the one that has become the second."""
    stored = [known(page(5, id="1"), row=5)]
    found = sort([page(6, id="1"), page(5, id="2")], stored)
    assert ([new.prepared.entry.title for new in found.new], found.changed) == (["T6"], [])


def test_an_id_that_only_counts_is_not_told_by_the_lack_of_date_and_text():
    stored = [known(page(5, id="1", published=None, content=""), row=5)]
    found = sort([page(6, id="1", published=None, content="")], stored)
    assert [new.prepared.entry.title for new in found.new] == ["T6"]


def test_an_id_that_only_counts_is_not_told_by_the_lack_of_a_title():
    stored = [known(page(5, id="1", title=""), row=5)]
    found = sort([page(6, id="1", title="", published=NOW)], stored)
    assert [new.id for new in found.new] == ["http://example.org/6"]


def without_page(number, **said):
    return page(number, link=None, **said)


def test_positions_as_ids_of_entries_without_links_lose_none():
    stored = [known(without_page(5, id="1", content="five"), row=5)]
    moved = without_page(5, id="2", content="five")
    found = sort([without_page(6, id="1", published=NOW), moved], stored)
    assert ([new.prepared.entry.title for new in found.new], found.unchanged) == (["T6"], 1)


def test_an_own_id_is_trusted_where_the_page_tells_nothing():
    """An episode that was renamed and put off; its page is the show's."""
    stored = [known(episode(k, title=f"T{k}"), row=k) for k in (1, 2)]
    found = sort([episode(2, title="Renamed", published=NOW)], stored)
    assert (found.new, [change.known.row for change in found.changed]) == ([], [2])


def edition(number, **said):
    return page(
        7, **{"id": f"https://www.example.org/7#{number}", "link": "http://example.org/7?utm_source=rss"} | said
    )


def in_one_document(*entries):
    """As a worker prepares them: with the key of their page."""
    return [replace(entry, canonical=urls.canonical(entry.entry.link)) for entry in entries]


def test_editions_of_a_page_that_its_ids_count_are_one_entry():
    (first,) = in_one_document(edition(0))
    (later,) = in_one_document(edition(3, title="Another headline", published=NOW))
    (new,) = sort([first]).new
    assert new.id == "http://example.org/7?utm_source=rss"
    assert len(sort([later], [known(first, entry_id=new.id)]).changed) == 1


def test_places_on_a_page_that_ids_count_are_entries_of_their_own():
    places = in_one_document(*(edition(k, title=f"T{k}") for k in (1, 2)))
    assert ids(*places) == ["https://www.example.org/7#1", "https://www.example.org/7#2"]
    stored = [known(place, row=k) for k, place in enumerate(places)]
    late = in_one_document(edition(3, title="T3", published=NOW))
    assert [new.id for new in sort(late, stored).new] == ["https://www.example.org/7#3"]
    linked = in_one_document(edition(1, link="http://example.org/7#1"))
    assert ids(*linked) == ["https://www.example.org/7#1"]


def test_a_source_whose_ids_only_count_is_known_by_links_from_then_on():
    stored = [known(page(k, id=str(k)), row=k) for k in (1, 2)]
    moved = [page(k, id=str(k - 2), published=NOW) for k in (3, 4)]
    found = sort(moved, stored)
    assert found.id_by == "link"
    assert identify(page(9), id_by="link") == [("link", "http://example.org/9")]


def test_entries_stored_under_their_own_ids_are_still_known_when_links_count():
    assert sort([page(1, content="edited")], [known(page(1))], id_by="link").new == []


def test_an_entry_that_kept_id_and_date_is_the_same_though_title_and_link_changed():
    edited = page(1, link="http://example.org/new-slug", title="New title")
    assert len(sort([edited], [known(page(1))]).changed) == 1


# ------------------------------------------------------------------------------------------------- back issues


def backs(entries, horizon):
    return {new.id: new.back.name for new in sort(entries, horizon=horizon).new}


def test_entries_before_the_backfill_of_a_new_source_are_back_issues():
    entries = [page(1, published=NOW - 8 * DAY), page(2, published=NOW - DAY)]
    assert backs(entries, dedupe.Horizon(back_issues=NOW - 7 * DAY)) == {"1": "BACK_ISSUE", "2": "ANNOUNCED"}


def test_many_old_entries_at_once_are_a_reissued_archive():
    entries = [page(k, published=NOW - (20 + k) * DAY) for k in range(6)] + [page(9, published=NOW)]
    found = backs(entries, dedupe.Horizon(seen=NOW - 7 * DAY))
    assert found.pop("9") == "ANNOUNCED"
    assert set(found.values()) == {"REISSUED"}


def test_a_single_late_entry_is_announced():
    assert backs([page(1, published=NOW - 20 * DAY)], dedupe.Horizon(seen=NOW - 7 * DAY)) == {"1": "ANNOUNCED"}


def test_a_site_that_has_moved_is_known_by_titles_and_dates():
    title = {"title": "Story", "published": NOW - DAY}
    before = known(page("old", **title), published=title["published"], dated=True)
    entries = [page(1, **title), page(2, title="Story", published=NOW), page(3, title="Other", published=NOW - DAY)]
    found = sort(entries, [before])
    assert [change.prepared.entry.id for change in found.changed] == ["1"]
    assert {new.id for new in found.new} == {"2", "3"}


def test_a_single_undated_entry_is_not_known_by_its_title_and_text():
    def undated(number, title):
        return page(number, title=title, content="the same words", published=None)

    stored = [known(undated(k, title), k, dated=False) for k, title in enumerate("ab", 1)]
    assert [new.id for new in sort([undated(3, "a")], stored).new] == ["3"]
    assert sort([undated(3, "a"), undated(4, "b")], stored).new == []


def test_undated_entries_are_never_old():
    entries = [page(k, published=None) for k in range(6)]
    assert set(backs(entries, dedupe.Horizon(seen=NOW, back_issues=NOW)).values()) == {"ANNOUNCED"}


# ------------------------------------------------------------------------------------------------- edits


LONG = "".join(chr(0x4E00 + k) for k in range(300))


def test_a_typo_is_no_material_edit():
    assert not dedupe.is_material("题", LONG, "题", LONG.replace(LONG[100], "错"))


def test_a_changed_title_number_or_fifth_of_the_text_is_material():
    assert dedupe.is_material("题", LONG, "另题", LONG)
    assert dedupe.is_material("题", f"{LONG} 11 人", "题", f"{LONG} 12 人")
    assert dedupe.is_material("题", LONG, "题", LONG + LONG[::-1])
    assert dedupe.is_material("题", LONG, "题", LONG[:200])
    assert not dedupe.is_material("题", LONG, "题", LONG + "后续报道")


def test_numbers_pushed_out_of_a_cut_text_are_no_material_edit():
    old, new = f"2024 {LONG} 11 {LONG[:99]} 202", f"2024 编者按 {LONG} 11 {LONG[:90]}"
    assert not dedupe.is_material("题", old, "题", new, cut=True)
    assert dedupe.is_material("题", old, "题", new)
    assert dedupe.is_material("题", old, "题", new.replace("2024", "2025"), cut=True)
    assert dedupe.is_material("题", f"{LONG} 11 人", "题", f"{LONG} 12 人", cut=True)


def test_a_text_that_is_gone_is_no_edit():
    found = sort([prepared(content="")], [known(prepared())])
    assert (found.changed, found.unchanged) == ([], 1)
    assert len(sort([prepared(content="", title="Edited")], [known(prepared())]).changed) == 1


def test_only_a_material_edit_moves_updated():
    stored = known(prepared())
    assert dedupe.updated(stored, NOW, False, NOW) == NOW - DAY
    assert dedupe.updated(stored, None, True, NOW) == NOW
    assert dedupe.updated(stored, NOW - HOUR, True, NOW) == NOW - HOUR
    assert dedupe.updated(stored, NOW + DAY, True, NOW) == NOW


# ------------------------------------------------------------------------------------------------- copies


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
