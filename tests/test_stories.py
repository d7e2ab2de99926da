"""Stories of several entries: through the command, from real feeds to what a subscriber sees."""

from __future__ import annotations

import io
import json

import feedparser
import pytest

from tests.instance import Instance, item, rss

NOW = "2026-11-22T12:00:00Z"
TEXT = (
    "海州市地铁四号线今天上午正式通车，线路全长三十一公里，共设车站二十二座，从北山新城一直通到南湖机场。首班列车六点整从北山站"
    "开出，车厢里坐满了清晨赶来的市民，有人特意带着孩子来拍照留念。运营公司说，早晚高峰每三分钟一班，票价从两元到七元不等，换乘"
    "一号线和二号线的旅客不必再出站。市长在仪式上表示，五号线将在明年秋天动工，全网到后年可以覆盖所有城区。"
)
OTHER = (
    "国家天文台昨夜宣布，设在高原上的新望远镜捕捉到一次遥远星系的爆发，亮度在两小时之内增加了四十倍，随后缓慢变暗。研究人员花了"
    "三个月核对数据，排除了仪器故障和卫星干扰，论文已经送交审稿。项目负责人介绍，这类现象此前只见过六次，成因仍有争议，下一步要"
    "等明年春天再作观测，届时南半球的两台设备也会加入。"
)

SHIP = (
    "蓝鲸船厂的三号船坞前，一艘长两百三十米的运输船鸣笛离岸，驶向东侧的外海试航。厂方说，这艘船用了十九个月建成，船体采用新的"
    "焊接工艺，比同级的旧船省油一成。订货的航运公司还有四艘在排队，最早的一艘要等后年夏天。码头上来送行的多是工人和他们的家属，"
    "有人带来了自己做的船模，也有退休的老师傅讲起第一次下水的那个冬天。"
)


def configure(instance, feeds, *names):
    instance.configure([{"name": name, "url": feeds.url(f"/{name}.xml"), "category": "tech"} for name in names])


def told_twice(instance, feeds):
    """One text in two sources, a minute apart, and another story beside it."""
    first = item(1, "海州地铁四号线通车", date="2026-11-22T08:00:00Z", text=TEXT)
    other = item(2, "新望远镜捕捉到星系爆发", date="2026-11-22T08:30:00Z", text=OTHER)
    again = item(3, "四号线今天通车了：海州地铁", date="2026-11-22T09:00:00Z", text=TEXT + "（完）")
    feeds["/A.xml"], feeds["/B.xml"] = rss(first, other), rss(again)
    configure(instance, feeds, "A", "B")
    instance.poll("--now", NOW)


def entries(instance, name="tech.atom"):
    return feedparser.parse(io.BytesIO(instance.feed(name))).entries


def ids(instance):
    return {row["title"]: row["id"] for row in instance.export("entries")}


def titles(instance):
    return sorted(entry.title for entry in entries(instance))


def test_one_text_in_two_sources_is_one_entry_that_names_both(instance, feeds):
    told_twice(instance, feeds)
    assert titles(instance) == ["新望远镜捕捉到星系爆发", "海州地铁四号线通车"]
    (story,) = [entry for entry in entries(instance) if "海州" in entry.title]
    assert "报道来源 2" in story.content[0].value
    assert "B：" in story.content[0].value
    related = [link.href for link in story.links if link.rel == "related"]
    assert related == ["http://127.0.0.1/item/3"] or len(related) == 1
    (said,) = [row for row in json.loads(instance.feed("tech.json"))["items"] if "海州" in row["title"]]
    assert [mention["source"] for mention in said["_coverage"]] == ["B"]


def test_a_copy_that_comes_later_joins_and_changes_no_published_id(instance, feeds):
    feeds["/A.xml"], feeds["/B.xml"] = rss(item(1, "海州地铁四号线通车", text=TEXT)), rss()
    configure(instance, feeds, "A", "B")
    instance.poll("--now", NOW)
    (before,) = entries(instance)
    feeds["/B.xml"] = rss(item(9, "海州地铁四号线今天通车", text=TEXT))
    instance.poll("--all", "--now", "2026-11-22T14:00:00Z")
    (after,) = entries(instance)
    assert (after.id, after.title, after.published) == (before.id, before.title, before.published)
    assert after.updated == before.updated, "coverage is no edit"
    assert "报道来源 2" in after.content[0].value


def test_coverage_counts_sources_and_names_a_page_of_a_source_once(instance, feeds):
    def told(number, link):
        date = f"2026-11-22T0{number}:00:00Z"
        return item(number, "海州地铁四号线正式通车", link=link, date=date, text=f"{TEXT}{number}")

    feeds["/A.xml"] = rss(told(1, "http://news.example/a/1?utm_source=rss"))
    again = told(3, "http://news.example/a/1?utm_source=b")
    feeds["/B.xml"] = rss(told(2, "http://news.example/b/1"), again)
    configure(instance, feeds, "A", "B")
    instance.poll("--now", NOW)
    (story,) = entries(instance)
    assert "报道来源 2" in story.content[0].value
    assert story.content[0].value.count("<li>") == len({"A a/1", "B b/1"})


def test_another_source_takes_no_second_article_of_a_source_out_of_its_feed(instance, feeds):
    feeds["/A.xml"] = rss(
        item(1, "海州地铁四号线正式通车", date="2026-11-22T08:00:00Z"),
        item(2, "十万市民首日试乘海州地铁", date="2026-11-22T09:00:00Z"),
    )
    feeds["/B.xml"] = rss(item(3, "海州地鐵四號線通車 十萬市民首日試乘", date="2026-11-22T08:30:00Z"))
    configure(instance, feeds, "A", "B")
    instance.poll("--now", NOW)
    assert len(titles(instance)) == 2
    (shown,) = (entry for entry in entries(instance) if entry.title == "海州地铁四号线正式通车")
    assert "十萬市民首日試乘" in shown.content[0].value


def test_a_join_by_hand_makes_one_story_and_its_undoing_two_again(instance, feeds):
    told_twice(instance, feeds)
    known = ids(instance)
    before = instance.feed("tech.atom")
    first, second = known["海州地铁四号线通车"], known["新望远镜捕捉到星系爆发"]
    instance.command("story", "join", first, second)
    instance.poll("--now", "2026-11-22T12:10:00Z")
    assert titles(instance) == ["海州地铁四号线通车"]
    assert "报道来源 2" in entries(instance)[0].content[0].value
    assert f"was joined with {first} by" in instance.command("explain", second).stdout
    assert " 1 stories;" in instance.command("status").stdout
    instance.command("story", "join", first, second, "--undo")
    instance.poll("--now", "2026-11-22T12:20:00Z")
    assert titles(instance) == ["新望远镜捕捉到星系爆发", "海州地铁四号线通车"]
    assert [entry.id for entry in entries(instance)] == [
        entry.id for entry in feedparser.parse(io.BytesIO(before)).entries
    ]


def test_a_split_by_hand_announces_the_entry_and_holds(instance, feeds):
    told_twice(instance, feeds)
    copy = ids(instance)["四号线今天通车了：海州地铁"]
    instance.command("story", "split", copy)
    instance.poll("--all", "--now", "2026-11-22T14:00:00Z")
    assert "四号线今天通车了：海州地铁" in titles(instance)
    instance.poll("--all", "--now", "2026-11-22T16:00:00Z")
    assert len(titles(instance)) == 3
    instance.command("story", "split", copy, "--undo")
    instance.poll("--now", "2026-11-22T16:10:00Z")
    assert titles(instance) == ["新望远镜捕捉到星系爆发", "海州地铁四号线通车"]


def test_a_representative_that_is_split_off_leaves_its_story_to_itself(instance, feeds):
    told_twice(instance, feeds)
    instance.command("story", "split", ids(instance)["海州地铁四号线通车"])
    instance.poll("--now", "2026-11-22T12:10:00Z")
    assert titles(instance) == sorted(ids(instance))
    assert all("报道来源" not in entry.get("content", [{"value": ""}])[0]["value"] for entry in entries(instance))


def told_in_two_categories(instance, feeds):
    """One text in two sources of two categories, and another story in the first category."""
    told_twice(instance, feeds)
    sources = [
        {"name": name, "url": feeds.url(f"/{name}.xml"), "category": term}
        for name, term in (("C", "tech"), ("D", "finance"))
    ]
    first = item(4, "蓝鲸船厂交付新船", date="2026-11-22T10:00:00Z", text=SHIP)
    again = item(5, "新船今天交付：蓝鲸船厂", date="2026-11-22T10:05:00Z", text=SHIP + "（完）")
    feeds["/C.xml"], feeds["/D.xml"] = rss(first), rss(again)
    instance.configure(sources, [{"term": "tech", "label": "科技"}, {"term": "finance", "label": "财经"}])
    instance.poll("--now", "2026-11-22T12:05:00Z")


def carried(instance):
    return {term: [entry.title for entry in entries(instance, f"{term}.atom")] for term in ("tech", "finance")}


def test_what_a_split_off_entry_brought_to_its_story_it_takes_along(instance, feeds):
    told_in_two_categories(instance, feeds)
    together = carried(instance)
    assert "蓝鲸船厂交付新船" in together["tech"]
    assert together["finance"] == ["蓝鲸船厂交付新船"]
    copy = ids(instance)["新船今天交付：蓝鲸船厂"]
    instance.command("story", "split", copy)
    instance.poll("--now", "2026-11-22T12:10:00Z")
    assert "新船今天交付：蓝鲸船厂" not in carried(instance)["tech"]
    assert carried(instance)["finance"] == ["新船今天交付：蓝鲸船厂"]
    instance.command("story", "split", copy, "--undo")
    instance.poll("--now", "2026-11-22T12:20:00Z")
    assert carried(instance) == together


def test_what_a_join_brought_to_a_story_its_undoing_takes_away(instance, feeds):
    told_in_two_categories(instance, feeds)
    before = carried(instance)
    known = ids(instance)
    stays, goes = known["新望远镜捕捉到星系爆发"], known["蓝鲸船厂交付新船"]
    instance.command("story", "join", stays, goes)
    instance.poll("--now", "2026-11-22T12:10:00Z")
    assert carried(instance)["finance"] == ["新望远镜捕捉到星系爆发"]
    instance.command("story", "join", stays, goes, "--undo")
    instance.poll("--now", "2026-11-22T12:20:00Z")
    assert carried(instance) == before


def test_what_has_joined_a_split_off_entry_comes_along_when_that_is_undone(instance, feeds):
    told_twice(instance, feeds)
    copy = ids(instance)["四号线今天通车了：海州地铁"]
    instance.command("story", "split", copy)
    instance.poll("--now", "2026-11-22T12:10:00Z")
    third = ids(instance)["新望远镜捕捉到星系爆发"]
    instance.command("story", "join", copy, third)
    instance.poll("--now", "2026-11-22T12:20:00Z")
    instance.command("story", "split", copy, "--undo")
    instance.poll("--now", "2026-11-22T12:30:00Z")
    (story,) = entries(instance)
    assert story.title == "海州地铁四号线通车"
    assert "报道来源 2" in story.content[0].value


THREE = ("老城区的茶馆重新开张", "邮差骑车走遍全岛", "春天的花园种满了郁金香")


@pytest.fixture
def three(instance, feeds):
    """Three stories, the last of them also in finance; and how an editor decides of them by their numbers."""
    first, second, third = (item(number, title) for number, title in enumerate(THREE))
    feeds["/A.xml"], feeds["/B.xml"] = rss(first, second), rss(third)
    sources = [("A", "tech"), ("B", ["tech", "finance"])]
    instance.configure([{"name": n, "url": feeds.url(f"/{n}.xml"), "category": c} for n, c in sources])
    instance.poll("--now", NOW)
    known = ids(instance)

    def decide(act, *numbers, undo=False):
        told = [known[THREE[number]] for number in numbers]
        command = ["hide"] if act == "hide" else ["story", act]
        instance.command(*command, *told, *(["--undo"] if undo else []))
        instance.poll("--now", NOW)
        return shown()

    def shown():
        feeds = (entries(instance, f"{term}.atom") for term in ("tech", "finance"))
        return [{THREE.index(entry.title): str(entry.get("content")).count("<li>") for entry in feed} for feed in feeds]

    return decide, shown()


APART = [{0: 0, 1: 0, 2: 0}, {2: 0}]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize(
    "decisions",
    [
        [("join", 0, 1), ("join", 1, 2)],
        [("join", 0, 1), ("join", 2, 0)],
        [("join", 1, 0), ("join", 2, 1)],
        [("join", 0, 2), ("split", 2)],
        [("join", 0, 2), ("join", 2, 1)],
    ],
    ids=lambda said: " ".join("-".join(map(str, each)) for each in said),
)
def test_in_whatever_order_decisions_are_undone_stories_are_as_before(three, decisions, order):
    decide, before = three
    for said in decisions:
        decide(*said)
    for number in order:
        after = decide(*decisions[number], undo=True)
    assert after == before == APART


def test_what_stands_when_an_earlier_decision_is_undone_holds_as_if_that_had_never_been(three):
    decide, _ = three
    decide("join", 0, 1)
    assert decide("join", 1, 2) == [{0: 3}, {0: 3}]
    assert decide("join", 0, 1, undo=True) == [{0: 0, 1: 2}, {1: 2}]
    assert decide("join", 0, 1) == [{0: 3}, {0: 3}]


def test_what_is_joined_once_more_is_in_every_feed_again(three):
    decide, _ = three
    joined = decide("join", 0, 2)
    assert joined == [{0: 2, 1: 0}, {0: 2}]
    assert decide("join", 0, 2, undo=True) == APART
    assert decide("join", 0, 2) == joined


@pytest.mark.parametrize("join", [(0, 2), (2, 0)])
@pytest.mark.parametrize("hidden", [0, 2])
def test_a_story_is_hidden_while_one_of_its_entries_is_and_no_longer(three, join, hidden):
    decide, _ = three
    without = [{number: 0 for number in feed if number != hidden} for feed in APART]
    together = decide("join", *join)
    assert decide("hide", hidden) == [{1: 0}, {}]
    assert decide("join", *join, undo=True) == without
    assert decide("join", *join) == [{1: 0}, {}]
    assert decide("hide", hidden, undo=True) == together
    assert decide("join", *join, undo=True) == APART
    assert decide("hide", hidden) == without
    assert decide("join", *join) == [{1: 0}, {}]
    assert decide("split", join[1]) == without
    assert decide("hide", hidden, undo=True) == APART


def test_an_undo_without_a_decision_is_an_error(instance, feeds):
    told_twice(instance, feeds)
    copy = ids(instance)["四号线今天通车了：海州地铁"]
    assert "nothing to undo" in instance.command("story", "split", copy, "--undo", code=1).stderr
    assert "no entry is published as urn:x" in instance.command("story", "split", "urn:x", code=1).stderr
    assert "name the story that stays" in instance.command("story", "join", copy, code=2).stderr


def test_a_story_is_shown_with_the_reason_of_each_member(instance, feeds):
    told_twice(instance, feeds)
    known = ids(instance)
    said = instance.command("story", "show", known["四号线今天通车了：海州地铁"]).stdout
    assert said.splitlines()[0] == "海州地铁四号线通车"
    assert f"is a copy of {known['海州地铁四号线通车']}" in said
    shown = json.loads(instance.command("story", "show", known["海州地铁四号线通车"], "--json").stdout)
    assert [member["source"] for member in shown["entries"]] == ["A", "B"]
    explained = instance.command("explain", known["四号线今天通车了：海州地铁"]).stdout
    assert (
        f"It is a copy of {known['海州地铁四号线通车']}: their texts have 100% of their 4-grams in common.\n"
        in explained
    )


def test_stories_lists_the_biggest_first(instance, feeds):
    told_twice(instance, feeds)
    (row,) = [json.loads(line) for line in instance.command("stories", "--days", "9999", "--json").stdout.splitlines()]
    assert (row["title"], row["sources"], row["entries"]) == ("海州地铁四号线通车", 2, 2)


def test_what_entries_are_compared_by_is_made_anew_and_found_again(instance, feeds):
    told_twice(instance, feeds)
    assert "3 entries can be compared" in instance.command("story", "rebuild").stdout
    feeds["/B.xml"] = rss(item(9, "海州地铁四号线今天通车", text=TEXT))
    instance.poll("--all", "--now", "2026-11-22T14:00:00Z")
    assert len(titles(instance)) == 2


def test_the_order_in_which_sources_answer_makes_no_difference(tmp_path, feeds):
    shown = set()
    for number, names in enumerate((("A", "B", "C"), ("C", "B", "A"), ("B", "C", "A"))):
        folder = tmp_path / str(number)
        folder.mkdir()
        instance = Instance(folder)
        for hour, name in enumerate("ABC"):
            feeds[f"/{name}.xml"] = rss(
                item(hour, f"海州地铁通车 {name}", date=f"2026-11-22T0{hour + 1}:00:00Z", text=TEXT)
            )
        configure(instance, feeds, *names)
        instance.poll("--now", NOW)
        shown.add(instance.feed("tech.atom").replace(str(instance.port).encode(), b"PORT"))
    assert len(shown) == 1
