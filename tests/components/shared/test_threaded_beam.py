import threading

import apache_beam as beam
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.testing.util import assert_that, equal_to

from components.shared.threaded_beam import ThreadedFlatMap


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
