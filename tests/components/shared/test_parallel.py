import threading
import time

import apache_beam as beam
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.testing.util import assert_that, equal_to

from components.shared import parallel
from components.shared.parallel import ThreadedFlatMap, ahead, cores


def _neighbours(number, offset):
    yield number + offset
    yield number - offset


def test_gives_what_flat_map_gives():
    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        results = (
            pipeline
            | beam.Create(range(50))
            | beam.ParDo(
                ThreadedFlatMap(_neighbours, threads=3),
                beam.pvalue.AsSingleton(pipeline | "Offset" >> beam.Create([100])),
            )
        )
        assert_that(results, equal_to([number + offset for number in range(50) for offset in (100, -100)]))


_meeting = threading.Barrier(2, timeout=30)


def _meet(_):
    _meeting.wait()
    return [1]


def test_two_elements_are_in_work_at_once():
    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        met = pipeline | beam.Create(range(4)) | beam.ParDo(ThreadedFlatMap(_meet, threads=2))
        assert_that(met, equal_to([1, 1, 1, 1]))


def _fail(number):
    raise ValueError(f"no {number}")


def test_an_error_is_not_lost():
    with pytest.raises(Exception, match="no 7"), beam.Pipeline(runner=FnApiRunner()) as pipeline:
        pipeline | beam.Create([7]) | beam.ParDo(ThreadedFlatMap(_fail))


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
