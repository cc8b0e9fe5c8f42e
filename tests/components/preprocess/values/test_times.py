"""Times in all their forms, against Python's datetime."""

import random
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pyarrow as pa
import pytest

from components.preprocess.values.times import (
    ISO,
    NUMBER,
    TimeForm,
    common_unit,
    form_of,
    places_of,
    read_times,
    step_of,
    unit_of,
)
from components.shared.errors import UserError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)


def random_moment(chance: random.Random) -> datetime:
    zone = timezone(timedelta(minutes=chance.randrange(-1439, 1440)))
    moment = datetime(1, 1, 2, tzinfo=UTC) + timedelta(
        days=chance.randrange(3_652_000), seconds=chance.random() * 86400
    )
    return moment.astimezone(chance.choice([UTC, zone]))


def written(moment: datetime, chance: random.Random) -> tuple[str, datetime]:
    """A moment in one of the forms of ISO 8601, and what is left of it there."""
    spec = chance.choice(["minutes", "seconds", "milliseconds", "microseconds"])
    lost = {"minutes": 60 * 10**6, "seconds": 10**6, "milliseconds": 10**3, "microseconds": 1}[spec]
    moment -= timedelta(microseconds=(moment.second * 10**6 + moment.microsecond) % lost)
    text = moment.isoformat(chance.choice("T "), spec)
    if moment.tzinfo is UTC:
        text = text.removesuffix("+00:00") + chance.choice(["", "Z", "+00:00", "+0000", "+00", " UTC"])
    return chance.choice(["", " "]) + text.replace(".", chance.choice(".,")), moment


def test_any_time_is_read_as_datetime_reads_it() -> None:
    chance = random.Random(1)
    moments = [written(random_moment(chance), chance) for _ in range(5_000)]
    times, bad = read_times(pa.array([text for text, _ in moments]), ISO)
    assert not bad.any()
    assert times.tolist() == [microseconds(moment) for _, moment in moments]


NO_TIMES = ["2001-02-29", "2001-13-01", "2001-00-10", "2001-1-1", "2001-01-01T24:00", "2001-01-01T10:60", "13/09/2001",
            "2001-01-01T10:00:61", "2001-01-01x", "2001-01-01T10:00+25:00", "2001-01-01T10:00Zz", "10:00", "x", "",
            "2001-01-01T10:00:00.", "2001-01-01 10"]  # fmt: skip


@pytest.mark.parametrize("text", NO_TIMES)
def test_what_is_no_time_is_told(text: str) -> None:
    assert read_times(pa.array([text]), ISO)[1].tolist() == [True]


@pytest.mark.parametrize(("text", "time"), [("2001-09-13", 1_000_339_200), ("20010913T234319Z", 1_000_424_599)])
def test_dates_and_the_form_without_signs(text: str, time: int) -> None:
    assert read_times(pa.array([text]), ISO)[0].tolist() == [time * 10**6]


def test_the_form_is_told_by_a_sample() -> None:
    assert form_of(["1000424599", "1e9", "NULL"], "auto") == NUMBER
    assert form_of(["2001-09-13", "2001-09-13T10:00:00.5Z", ""], "auto") == ISO
    assert form_of(["2001-09-13T10:00:00.123456789Z"], "auto").unit == "ns"
    assert form_of(["2001-09-13"], "%Y-%m-%d") == TimeForm("pattern", "us", "%Y-%m-%d")


def test_a_pattern_reads_what_nothing_else_does() -> None:
    times, bad = read_times(pa.array(["13/09/2001 23:43", "31/02/2001 00:00"]), form_of([], "%d/%m/%Y %H:%M"))
    assert times[0] == microseconds(datetime(2001, 9, 13, 23, 43, tzinfo=UTC))
    assert bad.tolist() == [False, True]


def test_temporal_types_of_any_unit_and_zone_are_one() -> None:
    moment = datetime(2001, 9, 13, 23, 43, 19, tzinfo=UTC)
    kinds = [pa.timestamp(unit, zone) for unit in ("s", "ms", "us") for zone in (None, "UTC", "Asia/Tokyo")]
    form = TimeForm("temporal", common_unit([*kinds, pa.date32()]))
    for kind in kinds:
        plain = moment if kind.tz else moment.replace(tzinfo=None)
        assert read_times(pa.array([plain, None], kind), form)[0][0] == microseconds(moment)
    assert read_times(pa.array([moment.date()]), form)[0][0] == microseconds(datetime(2001, 9, 13, tzinfo=UTC))
    with pytest.raises(UserError, match="does not say when it was"):
        common_unit([pa.time32("s")])


UNITS = {
    "seconds": ([10**9, 2 * 10**9, 0], "s"),
    "milliseconds": ([10**12, 1.5e12], "ms"),
    "microseconds": ([10**15], "us"),
    "nanoseconds": ([10**18], "ns"),
    "days as numbers": ([20_010_913, 20_200_101], None),
    "a clock that began at 0": (np.linspace(0, 10**13, 1000), None),
}


@pytest.mark.parametrize("case", UNITS)
def test_the_size_of_numbers_tells_their_unit(case: str) -> None:
    times, unit = UNITS[case]
    assert unit_of(places_of(np.array(times)), "clicks") == unit


@pytest.mark.parametrize(("times", "step"), [([10**6, -(10**7)], 10**6), ([10**6, 10**4], 10**3), ([0, 5], 1)])
def test_times_without_fractions_are_multiples(times: list[int], step: int) -> None:
    assert step_of(np.array(times)) == step


def test_two_units_with_nothing_between_are_refused() -> None:
    with pytest.raises(UserError, match=r"clicks: some times are in seconds, others in milliseconds.*time_format"):
        unit_of(places_of(np.array([10**9, 10**12])), "clicks")
