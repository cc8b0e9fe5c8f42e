import apache_beam as beam
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from components.shared.errors import UserError, find_user_error


def _refuse(_):
    raise UserError("data.csv:7: no item; mend the line, or set dataset.on_bad_row=skip")


def _refuse_in_a_pipeline_of_its_own(_):
    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        pipeline | beam.Create([1]) | "Inner" >> beam.Map(_refuse)


def test_finds_the_error_that_was_raised_itself():
    error = UserError("what, where, what to do")
    assert str(find_user_error(error)) == "what, where, what to do"


def test_finds_the_cause():
    try:
        try:
            raise UserError("the reason")
        except UserError as error:
            raise RuntimeError("wrapped") from error
    except RuntimeError as error:
        assert str(find_user_error(error)) == "the reason"


@pytest.mark.parametrize("function", [_refuse, _refuse_in_a_pipeline_of_its_own])
def test_finds_what_a_beam_worker_raised(function):
    with pytest.raises(Exception, match=r"data\.csv:7") as raised, beam.Pipeline(runner=FnApiRunner()) as pipeline:
        pipeline | beam.Create([1]) | "Outer" >> beam.Map(function)

    assert str(find_user_error(raised.value)) == "data.csv:7: no item; mend the line, or set dataset.on_bad_row=skip"


def test_a_fault_of_the_program_is_not_the_users():
    assert find_user_error(ZeroDivisionError("division by zero")) is None
