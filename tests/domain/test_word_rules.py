"""Staff change the word lists: what a change does to recent cases is known before; it holds at once, and is kept."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

import nlp
from domain.people import Person, find_operator
from domain.word_rules import (
    add_rule,
    adopt_rules,
    end_rule,
    make_rule,
    preview_adding,
    preview_ending,
    rule_history,
    rules_version,
)
from errors import BadRequest, Conflict, NotAllowed, NotFound
from models.audit import AuditEvent
from models.cases import Case
from models.enums import Source, Status, Urgency
from models.people import Area
from nlp.overlay import NONE, adopt
from tests.domain.tables import NOW

STRANGE = "七栋的呱呱桩又在冒泡"


@pytest.fixture(autouse=True)
def nothing_adopted() -> Iterator[None]:
    yield
    adopt(NONE)


async def reported(text: str) -> Case:
    area = await Area.filter(level="community").order_by("id").first()
    assert area
    return await Case.create(
        number=f"20261120-{await Case.all().count():04}",
        status=Status.REPORTED,
        category="other.construction",
        subject="别的",
        urgency=Urgency.NORMAL,
        source=Source.WECHAT,
        description=text,
        area_id=area.id,
        reported_at=NOW,
    )


@pytest.fixture
async def district(orm: None) -> Person:
    return await find_operator("Q001")


async def test_a_word_staff_add_is_understood_from_then_on_and_no_more_once_it_is_ended(district: Person):
    assert nlp.understand(STRANGE).category != "parking.charging"
    version = await rules_version()
    rule = await add_rule(district, make_rule("充电设施", "word", "呱呱桩", 4), "本地叫法", NOW)
    assert await rules_version() > version
    assert await adopt_rules() == 1
    said = nlp.understand(STRANGE)
    assert said.category == "parking.charging"
    assert any(match.word == "呱呱桩" for match in said.matched)

    version = await rules_version()
    await end_rule(district, rule, NOW + timedelta(days=1))
    assert await rules_version() > version
    await adopt_rules()
    assert nlp.understand(STRANGE).category != "parking.charging"


async def test_a_preview_counts_the_cases_that_change_and_shows_them_before_and_after(district: Person):
    await reported(STRANGE)
    await reported("北门的路灯不亮了")
    effect = await preview_adding(make_rule("parking.charging", "word", "呱呱桩", 4))
    assert (effect.read, effect.categories, effect.domains, effect.urgencies) == (2, 1, 1, 0)
    (shift,) = effect.examples
    assert shift.text == STRANGE
    assert (shift.before.category, shift.after.category) == ("", "parking.charging")
    assert nlp.understand(STRANGE).category == "", "a preview changes nothing"
    assert await rule_history() == []


async def test_a_preview_of_ending_a_rule_shows_the_way_back(district: Person):
    await reported(STRANGE)
    rule = await add_rule(district, make_rule("parking.charging", "word", "呱呱桩", 4), "", NOW)
    effect = await preview_ending(rule)
    assert (effect.examples[0].before.category, effect.examples[0].after.category) == ("parking.charging", "")


async def test_an_excluding_word_a_required_word_and_a_silenced_word_hold(district: Person):
    text = "楼顶养了鸽子，到处是粪"
    assert nlp.understand(text).category == "animal.other"
    silenced = await add_rule(district, make_rule("animal.other", "not", "鸽子", 2), "", NOW)
    await adopt_rules()
    assert nlp.understand(text).category != "animal.other"
    await end_rule(district, silenced, NOW)
    await add_rule(district, make_rule("animal.other", "needs", "三只以上", 2), "", NOW)
    await adopt_rules()
    assert nlp.understand(text).category != "animal.other"
    assert nlp.understand(f"{text}，三只以上").category == "animal.other"
    await add_rule(district, make_rule("parking.zombie", "off", "僵尸车", 2), "", NOW)
    await adopt_rules()
    assert nlp.understand("楼下有辆僵尸车").category != "parking.zombie"


async def test_what_is_switched_off_for_a_domain_is_silent_in_it(district: Person):
    text = "听说福利院要搬"
    assert nlp.understand(text).domain == "民政"
    for code in ("other.civil", "welfare.nursing_home"):
        await add_rule(district, make_rule(code, "off", "福利院"), "", NOW)
    await adopt_rules()
    assert nlp.understand(text).domain != "民政"


async def test_a_rule_is_typed_in_any_writing_and_found_by_the_name_of_its_category(orm: None):
    rule = make_rule("路灯不亮", "word", "路燈．．不亮".replace("．", "."))
    assert (rule.category, rule.entry) == ("lighting.street", "路灯..不亮")


@pytest.mark.parametrize(
    ("category", "kind", "entry", "weight"),
    [
        ("没有这一类", "word", "灯不亮", 2),
        ("路灯不亮", "maybe", "灯不亮", 2),
        ("路灯不亮", "word", "", 2),
        ("路灯不亮", "word", "灯 不亮", 2),
        ("路灯不亮", "word", "灯", 2),
        ("路灯不亮", "word", "路灯..<没有的组>", 2),
        ("路灯不亮", "word", "灯不亮", 0),
        ("路灯不亮", "word", "灯不亮", float("nan")),
        ("路灯不亮", "off", "没有这个词", 2),
        ("other.law", "not", "法院", 2),
    ],
)
def test_a_rule_nobody_could_mean_is_refused_with_the_reason(category: str, kind: str, entry: str, weight: float):
    with pytest.raises(BadRequest) as refused:
        make_rule(category, kind, entry, weight)
    assert "不对" in refused.value.say


async def test_only_the_district_and_the_city_change_the_lists(orm: None):
    worker = await find_operator("G001")
    with pytest.raises(NotAllowed):
        await add_rule(worker, make_rule("路灯不亮", "word", "灯杆不亮"), "", NOW)
    assert await rule_history() == []


async def test_the_same_word_with_another_weight_takes_the_old_ones_place(district: Person):
    first = await add_rule(district, make_rule("路灯不亮", "word", "灯杆不亮", 2), "", NOW)
    with pytest.raises(Conflict):
        await add_rule(district, make_rule("路灯不亮", "word", "灯杆不亮", 2), "", NOW)
    second = await add_rule(district, make_rule("路灯不亮", "word", "灯杆不亮", 6), "", NOW)
    assert [one.id for one in await rule_history(ended=False)] == [second]
    assert [(one.id, bool(one.ended_at)) for one in await rule_history()] == [(second, False), (first, True)]


async def test_who_added_and_ended_a_rule_is_kept_and_audited(district: Person):
    rule = await add_rule(district, make_rule("路灯不亮", "word", "灯杆不亮"), "街道提的", NOW)
    await end_rule(district, rule, NOW)
    with pytest.raises(NotFound):
        await end_rule(district, rule, NOW)
    (kept,) = await rule_history()
    assert district.post
    assert (kept.note, kept.added_by, kept.ended_by) == ("街道提的", district.post.name, district.post.name)
    assert await AuditEvent.filter(object_id=rule, tag__in=("rule:add", "rule:end"), allowed=True).count() == 2
