"""What one step of the pipeline hands to a later one.

Beam encodes what passes between steps, and decodes it, even where both run in one process: rows were copied again and
again, which took half of the time. There, a number passes in place of them. Elsewhere they pass themselves.
"""

import itertools
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import apache_beam as beam
from apache_beam.options.pipeline_options import DirectOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

_Value = TypeVar("_Value")

_values: dict[str, dict[int, Any]] = {}  # by job
_numbers = itertools.count()


class Handed(ABC, Generic[_Value]):
    """A value on its way."""

    @abstractmethod
    def look(self) -> _Value:
        """The value; it is not to be changed, as others may look at it, too."""

    @abstractmethod
    def take(self) -> _Value:
        """The value, for the last who needs it."""


@dataclass(frozen=True)
class _Itself(Handed[_Value]):
    value: _Value

    def look(self) -> _Value:
        return self.value

    def take(self) -> _Value:
        return self.value


@dataclass(frozen=True)
class _Number(Handed[_Value]):
    job: str
    number: int

    def look(self) -> _Value:
        value: _Value = _values[self.job][self.number]
        return value

    def take(self) -> _Value:
        value: _Value = _values[self.job].pop(self.number)
        return value


def in_one_process(pipeline: beam.Pipeline) -> bool:
    """Whether all steps of a pipeline run in this process, each once for each element."""
    options = pipeline.options.view_as(DirectOptions)
    return (
        isinstance(pipeline.runner, FnApiRunner)
        and options.direct_running_mode == "in_memory"
        and not options.direct_runner_bundle_repeat
    )


def hand_over(value: _Value, job: str, in_process: bool) -> Handed[_Value]:
    """Hands a value to later steps of a job, which may all be in this process."""
    if not in_process:
        return _Itself(value)
    number = next(_numbers)
    _values.setdefault(job, {})[number] = value
    return _Number(job, number)


def forget(job: str) -> None:
    """Lets go of what nobody has taken."""
    _values.pop(job, None)
