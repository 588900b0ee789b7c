"""额度: what WeChat still takes today and this month, counted from the outbox and the mass sends themselves, and why.

The account's own numbers (calls a day, which templates it has) are set once at start; they are the same that the
senders go by.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from domain.clock import SHANGHAI
from domain.mass_calls import ALL_PER_DAY, PER_MONTH
from domain.people import Person
from errors import NotAllowed
from models.database import fetch
from models.enums import Role

_WINDOW = timedelta(hours=48)
#: A job ends at most so long after it was made: it is given up after a day, and the night's wait for the morning.
_LONGEST = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Account:
    """Calls a day the account has, and whether it has templates at all."""

    service: int = 0
    template: int = 0
    mass: int = 0
    has_template: bool = False
    subscriptions: Sequence[str] = ()


_account = Account()


@contextmanager
def use(account: Account) -> Iterator[None]:
    """Let these numbers count, for the life of the context."""
    global _account  # noqa: PLW0603 - a setting of the process, as its working hours are
    before, _account = _account, account
    try:
        yield
    finally:
        _account = before


class Way(StrEnum):
    """What is counted."""

    SERVICE = "service"  # 客服消息
    SUBSCRIPTION = "subscription"  # 订阅通知
    TEMPLATE = "template"  # 模板消息
    MASS = "mass"  # 群发，按名单
    MASS_ALL = "mass_all"  # 群发给全部粉丝


NAMES = {
    Way.SERVICE: "客服消息",
    Way.SUBSCRIPTION: "订阅通知",
    Way.TEMPLATE: "模板消息",
    Way.MASS: "群发",
    Way.MASS_ALL: "群发给全部粉丝",
}


@dataclass(frozen=True, slots=True)
class Quota:
    """What is left of one way until `until`; `used` of it today (of `mass_all` this month). `why`: the rule behind it,
    or why nothing is left, for staff."""

    way: Way
    used: int
    left: int
    until: datetime
    why: str


_USED = """
SELECT coalesce(sum(used) FILTER (WHERE channel = 'service'), 0)::int AS service,
    count(*) FILTER (WHERE channel = 'template')::int AS template,
    count(*) FILTER (WHERE channel = 'subscription')::int AS subscription
FROM outbox WHERE created_at >= $2 AND finished_at >= $1 AND channel IN ('service', 'template', 'subscription')
"""
_OPEN = "SELECT count(*)::int AS people FROM conversation WHERE last_message_at > $1"
_AGREED = "SELECT coalesce(sum(remaining), 0)::int AS left FROM consent WHERE template_id = ANY ($1::text[])"
_CALLS = """
SELECT count(*) FILTER (WHERE called_at >= $1)::int AS today,
    count(*) FILTER (WHERE everybody AND called_at >= $1)::int AS all_today,
    count(*) FILTER (WHERE everybody)::int AS all_month
FROM mass_call WHERE called_at >= $2 AND state IN ('planned', 'taken', 'sent')
"""
_FULL = """
SELECT count(*)::int AS people FROM (
    SELECT d.recipient FROM delivery d JOIN mass_call c ON c.id = d.mass_call_id
    WHERE c.called_at >= $1 AND c.state IN ('planned', 'taken', 'sent') GROUP BY d.recipient HAVING count(*) >= $2
) AS full_up
"""


async def quotas(person: Person, now: datetime) -> list[Quota]:
    """Every way with what is left of it. Raises NotAllowed for who does not write to residents."""
    if person.post is None or person.post.role is Role.DEPARTMENT_STAFF:
        raise NotAllowed(f"{person.actor} may not quota:read", say="额度给网格员和社区工作人员看。", tag="quota:read")
    day = now.astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)
    used = (await fetch(_USED, day, day - _LONGEST))[0]
    tomorrow = day + timedelta(days=1)
    reached = (await fetch(_OPEN, now - _WINDOW))[0]["people"]
    agreed = (await fetch(_AGREED, list(_account.subscriptions)))[0]["left"]
    template = max(0, _account.template - used["template"]) if _account.has_template else 0
    return [
        Quota(
            Way.SERVICE,
            used["service"],
            max(0, _account.service - used["service"]),
            tomorrow,
            f"48 小时内跟公众号说过话的人才收得到，现在有 {reached} 人，每人说一次最多回 5 条",
        ),
        Quota(
            Way.SUBSCRIPTION,
            used["subscription"],
            agreed,
            tomorrow,
            "居民每同意一次可以发一条" if _account.subscriptions else "还没有设置订阅通知的模板",
        ),
        Quota(
            Way.TEMPLATE,
            used["template"],
            template,
            tomorrow,
            "关注着公众号的人都收得到，只有几行字" if _account.has_template else "还没有设置消息模板",
        ),
        *await _mass(day),
    ]


async def _mass(day: datetime) -> list[Quota]:
    month = day.replace(day=1)
    calls = (await fetch(_CALLS, day, month))[0]
    everybody_full = calls["all_month"] >= PER_MONTH
    full = 0 if everybody_full else (await fetch(_FULL, month, PER_MONTH - calls["all_month"]))[0]["people"]
    left = 0 if everybody_full else max(0, _account.mass - calls["today"])
    to_all = min(PER_MONTH - calls["all_month"], ALL_PER_DAY - calls["all_today"], left)
    next_month = (month + timedelta(days=32)).replace(day=1)
    whom = "现在谁也收不到" if everybody_full else f"已收满的有 {full} 人"
    return [
        Quota(
            Way.MASS,
            calls["today"],
            left,
            day + timedelta(days=1),
            f"每人每月最多收 {PER_MONTH} 次，{whom}；一次最多 1 万人，一分钟最多 60 次",
        ),
        Quota(
            Way.MASS_ALL,
            calls["all_month"],
            max(0, to_all),
            next_month if everybody_full else day + timedelta(days=1),
            f"每天最多 {ALL_PER_DAY} 次，每月最多 {PER_MONTH} 次，这个月用了 {calls['all_month']} 次",
        ),
    ]
