"""Which stories a feed carries, and in what order. Pure: the same rows and settings give the same selection."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from aggregator.models import PublishedStory, PublishSettings


def select(stories: Iterable[PublishedStory], settings: PublishSettings, as_of: datetime) -> list[PublishedStory]:
    """The stories of a live feed: the latest `limit` rows of the log, newest first, none older than `max_age`.

    Ages count from `as_of`, the tick of the feed's last change, so that rendering again later gives the same document.
    """
    newest_first = sorted(stories, key=lambda story: story.seq, reverse=True)[: settings.limit]
    if settings.max_age is None:
        return newest_first
    oldest = as_of - settings.max_age
    return [story for story in newest_first if story.entry.published >= oldest]
