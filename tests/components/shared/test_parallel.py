import time

import pytest

from components.shared import parallel
from components.shared.parallel import ahead, cores


def test_makes_elements_ahead_and_no_more():
    made = []

    def elements():
        for number in range(5):
            made.append(number)
            yield number

    read = ahead(elements(), 2)
    assert next(read) == 0
    deadline = time.monotonic() + 30
    while len(made) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.05)
    assert made == [0, 1, 2]
    assert list(read) == [1, 2, 3, 4]


def test_an_error_while_making_ahead_reaches_the_reader():
    def elements():
        yield 1
        raise ValueError("broken")

    read = ahead(elements(), 2)
    assert next(read) == 1
    with pytest.raises(ValueError, match="broken"):
        next(read)


@pytest.mark.parametrize(
    ("content", "expected"),
    [("max 100000", 7), ("250000 100000", 3), ("10000 100000", 1), ("900000 100000", 7), ("", 7), (None, 7)],
)
def test_a_quota_of_the_container_limits_the_cores(tmp_path, monkeypatch, content, expected):
    monkeypatch.setattr(parallel.os, "sched_getaffinity", lambda _: range(7))
    monkeypatch.setattr(parallel, "_QUOTA", tmp_path / "cpu.max")
    if content is not None:
        (tmp_path / "cpu.max").write_text(content)
    assert cores() == expected
