"""On which days somebody is told of what happens in their life: each day once, late runs included, leap days too."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.anniversaries import age_on, years_after
from domain.audience_rules import KnownFact, Someone
from domain.life_dates import GRACE, Event, check_event, concerned
from errors import BadRequest
from models.enums import FactType

KINDS = {"licence": KnownFact("licence", "驾照到期", FactType.DATE), "alone": KnownFact("alone", "独居", FactType.YES)}
DAYS = st.dates(date(1930, 1, 1), date(2030, 12, 31))


def born(day: date) -> Someone:
    return Someone(1, birthday=day)


def told(event: Event, one: Someone, first: date, days: int) -> dict[date, list[date]]:
    """Of which day they are told, on which days of a daily run."""
    found: dict[date, list[date]] = {}
    for step in range(days):
        today = first + timedelta(days=step)
        if (day := concerned(event, one, today)) is not None:
            found.setdefault(day, []).append(today)
    return found


def test_somebody_who_turns_eighty_is_told_from_thirty_days_before():
    event = Event("birthday", years=80, days_before=30)
    found = told(event, born(date(1946, 12, 3)), date(2026, 10, 1), 120)
    assert list(found) == [date(2026, 12, 3)]
    assert (found[date(2026, 12, 3)][0], found[date(2026, 12, 3)][-1]) == (date(2026, 11, 3), date(2026, 12, 3) + GRACE)


def test_who_was_born_on_a_leap_day_has_it_on_the_28th():
    assert years_after(date(1948, 2, 29), 79) == date(2027, 2, 28)
    assert years_after(date(1948, 2, 29), 80) == date(2028, 2, 29)
    assert (age_on(date(1948, 2, 29), date(2027, 2, 27)), age_on(date(1948, 2, 29), date(2027, 2, 28))) == (78, 79)
    assert list(told(Event("birthday", years=79), born(date(1948, 2, 29)), date(2027, 2, 1), 60)) == [date(2027, 2, 28)]


def test_school_begins_on_the_first_september_after_the_sixth_birthday():
    event = Event("birthday", years=6, days_before=120, month_day=(9, 1))
    for birthday, school in (
        (date(2020, 8, 31), date(2026, 9, 1)),
        (date(2020, 9, 1), date(2027, 9, 1)),
        (date(2021, 1, 5), date(2027, 9, 1)),
    ):
        assert list(told(event, born(birthday), school - timedelta(days=200), 300)) == [school]


def test_what_comes_again_each_year_is_another_day_each_time():
    event = Event("review", years=1, days_before=10, every=1)
    someone = Someone(1, facts={"review": "2024-02-29"})
    found = told(event, someone, date(2025, 1, 1), 365 * 4)
    assert list(found) == [date(2025, 2, 28), date(2026, 2, 28), date(2027, 2, 28), date(2028, 2, 29)]


@settings(deadline=None)
@given(DAYS, st.integers(0, 90), st.integers(0, 60), st.sampled_from([0, 1, 2]))
def test_every_person_is_told_of_each_of_their_days_in_time(birthday: date, years: int, before: int, every: int):
    event = Event("birthday", years, before, every)
    day = years_after(birthday, years)
    for today in (day - timedelta(days=before), day, day + GRACE):
        assert concerned(event, born(birthday), today) == day
    assert concerned(event, born(birthday), day - timedelta(days=before + 1)) is None


@settings(deadline=None)
@given(DAYS, DAYS)
def test_age_counts_birthdays_that_have_passed(birthday: date, today: date):
    passed = [year for year in range(1, 110) if years_after(birthday, year) <= today]
    if birthday <= today:
        assert age_on(birthday, today) == len(passed)


def test_nothing_is_told_where_the_date_is_not_known_or_is_no_date():
    for facts in (None, {}, {"licence": "bald"}, {"licence": 3}):
        assert concerned(Event("licence"), Someone(1, facts=facts), date(2026, 1, 1)) is None
    for event in (Event("licence", 1, 30), Event("licence", month_day=(9, 1)), Event("licence", 0, 9)):
        for written in ("9999-12-31", "0001-01-01"):
            assert concerned(event, Someone(1, facts={"licence": written}), date(2026, 1, 1)) is None


def test_an_event_that_is_none_is_refused_with_how_to_write_it():
    assert check_event({"from": "licence", "days_before": 60}, KINDS) == Event("licence", 0, 60)
    assert check_event({"from": "birthday", "years": 6, "month_day": "09-01"}, KINDS).month_day == (9, 1)
    for data, part in (
        ([], "要写成"),
        ({"from": "alone"}, "from 请写 birthday 或日期类的档案项：licence"),
        ({"from": "birthday", "years": -1}, "years 请写"),
        ({"from": "birthday", "days_before": 999}, "days_before 请写"),
        ({"from": "birthday", "every": True}, "every 请写"),
        ({"from": "birthday", "month_day": "13-01"}, "month_day 请写成 09-01"),
        ({"from": "birthday", "when": 1}, "要写成"),
    ):
        with pytest.raises(BadRequest) as refused:
            check_event(data, KINDS)
        assert part in refused.value.say


def test_an_event_is_said_in_chinese():
    for data, said in (
        ({"from": "birthday", "years": 80, "days_before": 30}, "满 80 岁，提前 30 天"),
        ({"from": "birthday", "years": 6, "month_day": "09-01"}, "满 6 岁后的 9 月 1 日"),
        ({"from": "licence", "days_before": 60}, "驾照到期，提前 60 天"),
        ({"from": "licence", "years": 1, "every": 1}, "驾照到期每满 1 年"),
    ):
        assert check_event(data, KINDS).said(KINDS) == said
