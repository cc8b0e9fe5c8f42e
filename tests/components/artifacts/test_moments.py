"""Times as people read them."""

import pytest

from components.artifacts.moments import TICKS, Unit, shown


@pytest.mark.parametrize("unit", TICKS)
def test_a_time_of_a_known_unit_is_a_date(unit: Unit) -> None:
    assert shown(1_000_424_599 * TICKS[unit], unit) == "2001-09-13 23:43:19"


def test_a_time_of_no_unit_is_its_number() -> None:
    assert shown(880606923.5, None) == "880606923.5"


def test_a_date_that_no_calendar_has_is_a_number() -> None:
    assert shown(10**15, "s") == "1e+15 s"
