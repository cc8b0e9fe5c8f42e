import pytest

from components.evaluator.report.axis import round_axis, spread


@pytest.mark.parametrize(
    ("values", "from_zero", "labels"),
    [
        ([0.12, 0.73], True, ["0.0", "0.2", "0.4", "0.6", "0.8"]),
        ([0.41, 0.73], False, ["0.4", "0.5", "0.6", "0.7", "0.8"]),
        ([-0.0011, 0.0101], True, ["−0.005", "0.000", "0.005", "0.010", "0.015"]),
        ([0.02, 0.1], True, ["0.000", "0.025", "0.050", "0.075", "0.100"]),
        ([3.0, 1200.0], True, ["0", "500", "1000", "1500"]),
    ],
)
def test_ticks_are_round_and_hold_all_values(values: list[float], from_zero: bool, labels: list[str]) -> None:
    axis = round_axis(values, 0, 100, from_zero)
    assert [axis.label(tick) for tick in axis.ticks] == labels
    assert axis.low <= min(values)
    assert max(values) <= axis.high


@pytest.mark.parametrize("values", [[], [0.0], [0.0, 0.0], [0.7], [1e-12], [-0.3, -0.3]])
def test_values_without_a_range(values: list[float]) -> None:
    axis = round_axis(values, 0, 100)
    assert axis.low < axis.high
    assert all(0 <= axis.at(value) <= 100 for value in values)
    assert len({axis.label(tick) for tick in axis.ticks}) == len(axis.ticks)


def test_coordinates_may_run_backwards() -> None:
    axis = round_axis([0.0, 1.0], 200, 0, from_zero=True)
    assert [axis.at(value) for value in (0.0, 0.25, 1.0)] == [200, 150, 0]


@pytest.mark.parametrize(
    ("wanted", "placed"),
    [
        ([10, 50, 90], [10, 50, 90]),
        ([50, 52], [50, 64]),
        ([52, 50], [64, 50]),
        ([99, 98, 97], [100, 86, 72]),
        ([0, 0, 0], [0, 14, 28]),
        ([], []),
    ],
    ids=["far apart", "close", "in any order", "at the end", "at the start", "none"],
)
def test_labels_move_apart(wanted: list[float], placed: list[float]) -> None:
    assert spread(wanted, gap=14, low=0, high=100) == placed
