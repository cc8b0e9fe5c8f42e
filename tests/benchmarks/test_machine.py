import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import machine
from components.shared.parallel import cores


def _lasting(seconds: Iterator[float]) -> Callable[[], None]:
    return lambda: time.sleep(next(seconds))


def test_the_fastest_call_counts_and_the_first_one_does_not() -> None:
    found = machine.shortest(_lasting(iter([0.0, 0.5, 0.1, 0.8])), repeats=3)
    assert 0.1 <= found < 0.5


def test_a_product_of_square_matrices_is_two_operations_for_each_of_its_size_cubed() -> None:
    speed = machine.product_speed(lambda: time.sleep(0.02), size=100, repeats=2)
    assert 2 * 100**3 / 0.04 < speed <= 2 * 100**3 / 0.02


def test_peaks_are_those_of_a_computer() -> None:
    peaks = machine.numpy_peaks()
    assert 1e9 < peaks.flops < 1e15
    assert 1e8 < peaks.bytes < 1e13


def test_the_cpu_is_told_with_its_vector_instructions(tmp_path: Path) -> None:
    processors = "processor\t: {}\nmodel name\t: Fast CPU\nflags\t\t: fpu avx avx2 fma avx512f avx512vl\n\n"
    (tmp_path / "cpuinfo").write_text(processors.format(0) + processors.format(1))
    found = machine.cpu(tmp_path / "cpuinfo")
    assert found == machine.Cpu("Fast CPU", cores(), ("AVX", "AVX2", "FMA", "AVX-512"))
    assert str(machine.Cpu("Fast CPU", 2, ("AVX", "FMA"))) == "2 cores of Fast CPU (AVX, FMA)"


def test_where_the_system_does_not_describe_the_cpu_it_has_a_name_all_the_same(tmp_path: Path) -> None:
    assert machine.cpu(tmp_path / "nothing").name
