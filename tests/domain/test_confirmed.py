"""Which cases a model may learn from."""

from __future__ import annotations

from domain.confirmed import confirmed_cases
from models.cases import Case
from models.enums import Outcome, Status
from tests.town import CHEN, Town


async def _closed(number: int, text: str, **more: object) -> None:
    case = await Case.all().order_by("id").first()
    assert case is not None
    case.id, case.number, case.message_id = None, f"20261101-{number:04}", None  # type: ignore[assignment]
    case.status, case.outcome, case.description, case.solved = Status.CLOSED, Outcome.SOLVED, text, True
    for name, value in more.items():
        setattr(case, name, value)
    await case.save(force_create=True)


async def test_only_cases_people_agree_on_are_learned_from(town: Town):
    await town.say(CHEN, "3栋2单元楼道灯坏了")
    await town.say(CHEN, "1")
    await _closed(1, "楼道灯不亮")
    await _closed(2, "楼道灯不亮")
    await _closed(3, "后来改了类别的事", category="noise.site")
    await _closed(4, "没有解决的事", solved=False)
    await _closed(5, "作废的事情", outcome=Outcome.VOID)
    await _closed(6, "不知道是什么事", category="other")
    assert [tuple(one) for one in await confirmed_cases(10)] == [
        ("楼道灯不亮", "lighting.corridor"),
        ("后来改了类别的事", "noise.site"),
    ]
    assert [one.text for one in await confirmed_cases(1)] == ["后来改了类别的事"]
