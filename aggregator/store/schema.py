"""The tables, as ordered migrations. A released migration is never edited; a change is a new function below the last.

Times are whole seconds since 1970 (UTC). `source` is a feed that we poll, `head` what a feed document said of itself
when an entry was read from it, `story` what feeds publish, `publication` the append-only log that is the whole of
republishing, `feed` one row for each published term with its dirty mark, `decision` what an editor said. `fingerprint`
and `posting` find the stories of new entries; they can be made anew.
"""

from __future__ import annotations

from sqlite_utils import Database, Migrations

migrations = Migrations("aggregator")

_TABLES = """
create table state (
    key text primary key,
    value text not null
) strict, without rowid;

create table source (
    id integer primary key,
    name text not null unique,
    url text not null,
    current_url text not null,          -- where polls go: url, or where it moved for good
    enabled integer not null,           -- 1: listed in the configuration and enabled
    listed integer not null,            -- 1: named in the configuration
    added integer not null,
    founding integer not null,          -- 1: came with the first configuration, so that nothing of it is a back issue
    status text not null,               -- new, ok, failing, gone
    reason text not null default '',
    failures integer not null default 0,
    last_poll integer,
    last_ok integer,                    -- the last poll that went well, a 304 included
    next_poll integer not null,
    not_before integer,                 -- what a server asked for; no override reaches over it
    rhythm integer,                     -- seconds between entries, as far as known
    etag text,
    last_modified text,
    fetched integer,                    -- the last poll that brought a document; validators are dropped 8 days later
    parsed integer,                     -- the last poll whose document was read
    id_by text not null default 'own',  -- own, link, made: by what its entries are known, once its ids proved unfit
    moved_to text,                      -- where it says that it moved for good
    moved_polls integer not null default 0,
    ttl integer,                        -- seconds, as its document asks
    skip_hours integer not null default 0,  -- bits 0 to 23, GMT
    skip_days integer not null default 0,   -- bits 0 (Monday) to 6
    hashes blob not null default x''    -- 8 bytes for each entry of the last document
) strict;
create index source_due on source(next_poll) where enabled = 1;

create table head (
    id integer primary key,
    source integer not null references source(id),
    digest blob not null,
    feed_id text, title text, link text, updated integer, author text, rights text, language text,
    unique (source, digest)
) strict;

create table story (
    id integer primary key,
    representative integer not null,    -- entry.id; fixed when the story is first published
    created integer not null
) strict;

create table entry (
    id integer primary key,
    source integer not null references source(id),
    entry_id text not null,             -- the repaired id: with the source, the entry's identity
    published_id text unique,           -- given once, with the story
    story integer references story(id), -- null: stored, not settled yet
    copy_of integer,                    -- entry.id of the story's representative, where this is a copy
    evidence text not null default '',  -- why it is one
    back integer not null,              -- 0: announced; 1: a back issue, only for archives; 2: re-issued, in no feed
    dated integer not null,             -- 1: the feed gave a usable date
    canonical text,
    title_key blob not null,
    text_key blob not null,
    digest blob not null,
    head integer not null references head(id),
    title text not null,
    link text,
    summary text not null,
    content text not null,
    author text not null,
    rights text not null,
    language text,
    image text,
    enclosures text not null,           -- JSON: [[url, type, length], …]
    duration integer,                   -- seconds, of what is enclosed
    episode text,
    published integer not null,
    updated integer not null,
    first_seen integer not null,
    repairs text not null,              -- codes of what was mended, separated by blanks
    unique (source, entry_id)
) strict;
create index entry_unsettled on entry(published) where story is null;
create index entry_published on entry(published);
create index entry_first_seen on entry(first_seen, source);
create index entry_story on entry(story);
create index entry_canonical on entry(canonical) where canonical is not null;

create table forgotten (               -- what pruned entries leave, so that none returns as new
    source integer not null,
    key blob not null,                  -- 8 bytes: hash of the entry's id, or of its page and title
    primary key (source, key)
) strict, without rowid;

create table filing (
    entry integer not null references entry(id),
    term text not null,
    origin text not null,
    reason text not null,
    primary key (entry, term, origin)
) strict, without rowid;

create table publication (
    seq integer primary key autoincrement,
    term text not null,
    story integer not null references story(id),
    published_at integer not null,
    live integer not null,              -- 0: a back issue, only for archives
    withdrawn_at integer,
    why text not null default '',
    unique (term, story)
) strict;
create index publication_live on publication(term, seq) where live = 1 and withdrawn_at is null;
create index publication_story on publication(story);

create table feed (
    term text primary key,
    changed integer not null,           -- counts changes: the dirty mark is changed > rendered
    rendered integer not null,
    as_of integer not null,             -- the tick of the last change; ages are counted from it
    recipe text not null default ''     -- digest of the configuration that it was rendered with
) strict, without rowid;

create table decision (
    id integer primary key,
    who text not null,
    decided_at integer not null,
    act text not null,                  -- hide
    target text not null,               -- a published id
    undone_at integer,
    applied integer not null default 0  -- 1: the log shows it (as it stands, done or undone)
) strict;
create index decision_open on decision(id) where applied = 0;
"""


@migrations()
def m001_first_release(db: Database) -> None:
    """Everything of the first release."""
    db.executescript(_TABLES)


_STORIES = """
create table fingerprint (             -- what a recent entry is compared by; see aggregator/stories
    id integer primary key,             -- given anew when the entry is settled, so that it counts in that order
    entry integer not null unique references entry(id),
    published integer not null,         -- the entry's, which is looked at for each candidate
    print blob not null,
    keys blob                           -- its keys, until the entry is settled: then they are postings
) strict;

create table posting (                 -- which recent entries have a key: see store/fingerprints.py for its bits
    key integer not null,
    fingerprint integer not null,
    primary key (key, fingerprint)
) strict, without rowid;

create table relation (                -- entries that are linked to each other, each pair both ways
    entry integer not null references entry(id),
    other integer not null references entry(id),
    evidence text not null,
    primary key (entry, other)
) strict, without rowid;
create index relation_other on relation(other);
create index story_representative on story(representative);

alter table decision add column other text;                     -- join: the published id whose story is joined
alter table decision add column effect text not null default ''; -- JSON: what applying it moved, for undoing it
"""


@migrations()
def m002_stories(db: Database) -> None:
    """Stories of several entries: prints, postings, relations, and an editor's joins and splits.

    `evidence` was one word until now: it becomes JSON that names the other entry.
    """
    db.executescript(_STORIES)
    db.conn.execute(
        "update entry set evidence = json_object("
        "'with', (select o.published_id from entry o where o.id = entry.copy_of),"
        " 'level', 'same_text', 'score', 1.0, 'reasons', json_array(evidence)) where evidence <> ''"
    )


_CATEGORIES = """
alter table filing add column score real;                    -- of the lexicon's voice, in log-odds

create table edition (                 -- what has filed entries: a row for each lexicon and set of rules
    id integer primary key,
    lexicon text not null,              -- digests
    rules text not null,
    unique (lexicon, rules)
) strict;

alter table entry add column edition integer references edition(id);
alter table entry add column learned integer;                -- how often something was learned when it was filed

create table learned (                 -- what corrections and certain sources taught: added to the lexicon's weights
    word text not null,
    term text not null,
    weight real not null,
    lessons integer not null,
    primary key (word, term)
) strict, without rowid;

alter table decision add column taught integer not null default 0;  -- 1: what it says was learned
create index decision_target on decision(target);
create index decision_untaught on decision(id) where taught = 0 and act in ('file', 'unfile');
"""


@migrations()
def m003_categories(db: Database) -> None:
    """Filing by four voices: the lexicon's score, and which edition of all of them filed an entry."""
    db.executescript(_CATEGORIES)


@migrations()
def m004_labels(db: Database) -> None:
    """What the category of a feed is and was called: subscribers may have its address by any of these names."""
    db.executescript("alter table feed add column labels text not null default '[]'")  # JSON


@migrations()
def m005_gist(db: Database) -> None:
    """What stands for the last document of a source, by which one that is the same is known before it is read."""
    db.executescript("alter table source add column gist blob not null default x''")


@migrations()
def m006_digest(db: Database) -> None:
    """What stands for its bytes as they were transferred, by which it is known before it is decoded."""
    db.executescript("alter table source add column digest blob not null default x''")


@migrations()
def m007_validated(db: Database) -> None:
    """The address whose document the validators are of: to another one they say nothing."""
    db.executescript("alter table source add column validated text")


@migrations()
def m008_written(db: Database) -> None:
    """The address as it stands in the configuration, where a part of it is a variable's value: only that is shown."""
    db.executescript("alter table source add column written text")
