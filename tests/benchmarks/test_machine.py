import time
from collections.abc import Callable, Iterator

from benchmarks import machine


def _lasting(seconds: Iterator[float]) -> Callable[[], None]:
    return lambda: time.sleep(next(seconds))


def test_the_fastest_call_counts_and_the_first_one_does_not() -> None:
    found = machine.shortest(_lasting(iter([0.0, 0.05, 0.02, 0.08])), repeats=3)
    assert 0.02 <= found < 0.05


def test_a_product_of_square_matrices_is_two_operations_for_each_of_its_size_cubed() -> None:
    speed = machine.product_speed(lambda: time.sleep(0.02), size=100, repeats=2)
    assert 2 * 100**3 / 0.04 < speed <= 2 * 100**3 / 0.02


def test_peaks_are_those_of_a_computer() -> None:
    peaks = machine.numpy_peaks()
    assert 1e9 < peaks.flops < 1e15
    assert 1e8 < peaks.bytes < 1e13
