"""What the demo prints: where to look, what for, and what to try beside it."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from aggregator.demo import publishers
from aggregator.demo.newsroom import Article, Newsroom
from aggregator.demo.publishers import PUBLISHERS, Quirk
from aggregator.demo.staging import Stage

_FEEDS = (("科技", "tech"), ("人工智能", "ai"), ("财经", "finance"), ("全部", "all"))


def guide(stage: Stage, newsroom: Newsroom, site: str, address: str) -> str:
    """The whole text. `site` is where the daemon serves, `address` where the publishers are."""
    feeds = "\n".join(f"    {f'{site}/feeds/{term}.atom':<44} {label}" for label, term in _FEEDS)
    copy = newsroom.shelves[publishers.with_name(publishers.COPIES).key][0]
    return f"""
Open {site}/ or subscribe in your feed reader:
{feeds}

What to look at
{_one_story(copy, newsroom)}
{_quirks(address)}

Try in a second terminal
{_commands(stage, copy.guid)}

The publishers are at {address}{PUBLISHERS[0].home} and so on; the demo's files are in {stage.folder}.
From now on the publishers publish something every few seconds (Ctrl-C ends):
"""


def _one_story(copy: Article, newsroom: Newsroom) -> str:
    """The event of a copy: which of its entries are one story, and which tell it in other words."""
    original, *others, _ = newsroom.of_event(copy.event)
    return f"""\
  - One story, though two publishers have it: {copy.publisher.name} copies a page of {original.publisher.name},
    with tracking parameters in its link. The feeds carry it once.
{_titles([original, copy])}
  - The same event in other words and scripts, on pages of their own:
{_titles(others)}"""


def _titles(articles: Sequence[Article]) -> str:
    return "\n".join(f"      {one.publisher.name}: {one.title}" for one in articles)


def _quirks(address: str) -> str:
    name = {quirk: publishers.with_quirk(quirk).name for quirk in Quirk}
    mended = address + publishers.with_quirk(Quirk.PAGE).feed
    return f"""\
  - {name[Quirk.PAGE]} answers a web page where its feed was: `status` shows it failing, and why.
    Write the address that the page names, {mended}, into sources.yaml, and it recovers.
  - {name[Quirk.SLOW]} drips its feed for seconds, and no other source waits for it.
  - {name[Quirk.GBK]} sends GBK and does not say so, and is readable.
  - {name[Quirk.ILL_FORMED]} sends XML that is not well-formed, and is readable.
  - {name[Quirk.MOVED]} has moved for good (301), and is found."""


def _commands(stage: Stage, entry: str) -> str:
    """Commands on the demo's folder; `entry` is the id of one."""
    config = ["--config", str(stage.config)]
    lines = [
        shlex.join([*program(), "status", "--watch", *config]),
        shlex.join([*program(), "explain", entry, *config]),
        shlex.join([*program(), "export", "entries", *config]) + " | grep utm_source | tail -n 1",
        shlex.join(["nano", str(stage.config / "sources.yaml")]),
        shlex.join(["tail", "-f", str(stage.log)]),
    ]
    return "\n".join(f"    {line}" for line in lines)


def program() -> list[str]:
    """How this program is called from a shell in the current folder."""
    script = Path(sys.executable).with_name("aggregator")
    if not script.exists():
        return [sys.executable, "-m", "aggregator"]
    return [os.path.relpath(script) if script.is_relative_to(Path.cwd()) else str(script)]
