"""What a poll decides and stores in one transaction: a job for the store's writer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from aggregator import dedupe, html, schedule, store, text
from aggregator.models import Edition, ParsedEntry, ParsedFeed, PreparedEntry, SourceState, Visit
from aggregator.parse import HASH_LENGTH
from aggregator.prepare import COMPARED


def keep(
    db: store.Database,
    state: SourceState,
    visit: Visit,
    feed: ParsedFeed,
    entries: Sequence[PreparedEntry],
    horizon: dedupe.Horizon,
    edition: Edition,
) -> tuple[int, int]:
    """Store what a document brought, and the visit with it: all of a poll in one transaction. How many new, changed."""
    now = visit.polled
    entries, identities = _not_forgotten(db, state.id, entries, dedupe.identify(entries, state.id_by))
    found = _sorted(db, state, feed, entries, identities, now, horizon)
    if found.new or found.changed:
        head = store.entries.head(db, state.id, feed.head)
        store.entries.add(db, state.id, head, found.new, edition, now)
        for change in found.changed:
            _edit(db, change, head, now)
    rhythm = schedule.rhythm(entry.entry.published for entry in entries if entry.entry.published)
    store.sources.record_parsed(db, visit, feed, rhythm, found.id_by)
    return len(found.new), len(found.changed)


def _sorted(
    db: store.Database,
    state: SourceState,
    feed: ParsedFeed,
    entries: Sequence[PreparedEntry],
    identities: Sequence[dedupe.Identity],
    now: datetime,
    horizon: dedupe.Horizon,
) -> dedupe.Sorted:
    """The entries compared with those that are stored under their ids or pages; under their titles too, where all that
    the document lists would be new, as when its ids and links are others than at the last time."""
    ids = [entry_id for identity in identities for entry_id in identity.ids()]
    pages = [entry.canonical for entry in entries if entry.canonical]
    known = store.entries.known(db, state.id, ids, pages)
    found = dedupe.sort_out(entries, identities, known, now, horizon, state.id_by)
    some_known = found.changed or found.unchanged or len(entries) * HASH_LENGTH < len(feed.hashes)
    if not found.new or some_known or state.parsed is None:
        return found
    titles = [new.prepared.title_key for new in found.new]
    known = store.entries.known(db, state.id, ids, pages, titles)
    return dedupe.sort_out(entries, identities, known, now, horizon, state.id_by)


def _not_forgotten(
    db: store.Database, source: int, entries: Sequence[PreparedEntry], identities: Sequence[dedupe.Identity]
) -> tuple[list[PreparedEntry], list[dedupe.Identity]]:
    """The entries and their identities, but those that were stored once, and pruned since."""
    pairs = list(zip(entries, identities, strict=True))
    keys = [set(_keys(prepared, identity)) for prepared, identity in pairs]
    gone = store.retention.forgotten(db, source, set().union(*keys))
    kept = [pair for pair, own in zip(pairs, keys, strict=True) if own.isdisjoint(gone)]
    return [prepared for prepared, _ in kept], [identity for _, identity in kept]


def _keys(prepared: PreparedEntry, identity: dedupe.Identity) -> Iterator[bytes]:
    yield store.retention.id_key(identity.ids()[0])
    if prepared.canonical:
        published = prepared.entry.published
        yield store.retention.page_key(prepared.canonical, prepared.title_key, published, prepared.text_key)


def _edit(db: store.Database, change: dedupe.Changed, head: int, now: datetime) -> None:
    """Change an entry in place, and mark the feeds that carry it. Only a material edit moves `updated`."""
    known, prepared = change.known, change.prepared
    material = False
    if (known.title_key, known.text_key) != (prepared.title_key, prepared.text_key):
        old_title, old_markup = store.entries.said(db, known.row)
        material = _is_material(old_title, old_markup, prepared.entry)
    updated = dedupe.updated(known, prepared.entry.updated, material, now)
    store.entries.change(db, known.row, prepared, updated, head)
    story = store.stories.story_of(db, known.row)
    if story is not None:
        if prepared.print is not None:
            store.fingerprints.post_again(db, known.row, prepared.print, known.published)
        store.publications.mark_stories(db, [story], now)


def _is_material(old_title: str, old_markup: str, said: ParsedEntry) -> bool:
    texts = [html.plain(markup) for markup in (old_markup, said.content or said.summary)]
    old_text, new_text = (text.fold(plain[:COMPARED]) for plain in texts)
    cut = any(len(plain) > COMPARED for plain in texts)
    return dedupe.is_material(text.fold(old_title), old_text, text.fold(said.title), new_text, cut)
