"""The dozen invented publishers: what each is called, what it tells, and how it answers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

COPIES = "云笺早讯"  # the name of the one that writes nothing of its own


class Quirk(Enum):
    """What a publisher does that a reader must not notice."""

    GBK = auto()  # sends GBK and declares no encoding
    ILL_FORMED = auto()  # its XML is not well-formed
    SLOW = auto()  # takes its time for every document
    MOVED = auto()  # its feed has another address for good
    PAGE = auto()  # answers a web page where its feed was


@dataclass(frozen=True, slots=True)
class Publisher:
    """A publisher. `key` begins its paths, `form` is its feed's format; it tells the stories of its beats in its
    language. `every` is the interval in seconds at which the demo polls it."""

    key: str
    name: str
    language: str
    beats: tuple[str, ...]
    form: str
    every: int
    category: str | None = None
    quirk: Quirk | None = None

    @property
    def listed(self) -> str:
        """The path under which sources.yaml lists the feed, which is not where the document is after a change."""
        return f"/{self.key}/rss" if self.quirk in (Quirk.MOVED, Quirk.PAGE) else self.feed

    @property
    def feed(self) -> str:
        """The path of the feed document."""
        return f"/{self.key}/feed"

    @property
    def home(self) -> str:
        """The path of the front page."""
        return f"/{self.key}/"


PUBLISHERS = (
    Publisher("xingyan", "星砚科技报", "zh-Hans", ("tech", "ai", "chips", "science"), "rss", 5, "tech"),
    Publisher("yunjian", COPIES, "zh-Hans", (), "rss", 6),
    Publisher("chenglan", "澄瀾科技", "zh-Hant", ("tech", "ai", "chips"), "atom", 7, "tech"),
    Publisher("lantern", "Copper Lantern", "en", ("tech", "ai", "chips", "autos"), "atom", 8, "tech"),
    Publisher("yanzhou", "砚洲财经", "zh-Hans", ("finance",), "rss", 9, "finance", Quirk.GBK),
    Publisher("tidemark", "Tidemark Ledger", "en", ("finance",), "rss", 10, "finance", Quirk.MOVED),
    Publisher("quarry", "Quarry Science Weekly", "en", ("science", "health-life"), "rdf", 11, "science"),
    Publisher("cenling", "岑嶺健康", "zh-Hant", ("health-life",), "json", 12, "health-life"),
    Publisher("chirong", "赤榕体育", "zh-Hans", ("sports",), "atom", 13, "sports"),
    Publisher("qingxi", "青汐游戏", "zh-Hans", ("games",), "rss", 14, "games", Quirk.ILL_FORMED),
    Publisher("yuanzhe", "远辙汽车", "zh-Hans", ("autos",), "rss", 20, "autos", Quirk.SLOW),
    Publisher("liuzhan", "柳栈晚报", "zh-Hans", ("society",), "atom", 15, "society", Quirk.PAGE),
)


def telling(beat: str, language: str) -> Publisher:
    """The publisher that tells the stories of a beat in a language."""
    return next(one for one in PUBLISHERS if beat in one.beats and one.language == language)


def with_name(name: str) -> Publisher:
    """The publisher of this name."""
    return next(one for one in PUBLISHERS if one.name == name)


def with_quirk(quirk: Quirk) -> Publisher:
    """The publisher that has this quirk."""
    return next(one for one in PUBLISHERS if one.quirk is quirk)
