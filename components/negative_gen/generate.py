"""The Beam pipeline: an element is a file to write, so only left-over rows and digests pass between workers."""

import contextlib
import functools
import itertools
import math
from collections.abc import Iterable, Iterator, Mapping

import apache_beam as beam

from components.artifacts import storage
from components.artifacts.examples import EvaluationLayout, ExamplesSummary, Streamed, evaluation_file
from components.artifacts.splits import Split
from components.negative_gen.evaluation_files import write_split
from components.negative_gen.job import NegativesJob
from components.sampling.training_files import LeftOver, Written, write_file, write_pool
from components.shared import progress
from components.shared.threaded_beam import ThreadedFlatMap

_bars: dict[str, progress.Bar] = {}  # by artifact; workers in other processes have none


@contextlib.contextmanager
def showing_progress(job: NegativesJob) -> Iterator[None]:
    """Shows a bar that counts the files, as long as the work is done in this process."""
    files = len(_training_files(job)) + len(job.evaluation_splits)
    with progress.bar("sampling negatives", files) as bar:
        _bars[job.examples_uri] = bar
        try:
            yield
        finally:
            del _bars[job.examples_uri]


def generate(pipeline: beam.Pipeline, job: NegativesJob) -> None:
    """Adds what writes the examples artifact to a pipeline; its summary is written last."""
    train = (
        pipeline
        | "Files" >> beam.Create(_training_files(job))
        | "Sample" >> beam.ParDo(ThreadedFlatMap(functools.partial(_write_file, job)))
    )
    pools = (
        train
        | "LeftOver" >> beam.FlatMap(_left_over_by_epoch)
        | "Pool" >> beam.GroupByKey()
        | "WritePool" >> beam.Map(functools.partial(_write_pool, job))
    )
    evaluation = (
        pipeline
        | "Splits" >> beam.Create(job.evaluation_splits)
        | "Rank" >> beam.ParDo(ThreadedFlatMap(functools.partial(_write_split, job)))
    )
    written = train | "Written" >> beam.Map(lambda output: output[1])
    _ = (
        (written, pools, evaluation)
        | beam.Flatten()
        | "Together" >> beam.GroupBy(lambda _: 0)
        | "Summarize" >> beam.Map(functools.partial(_write_summary, job))
    )


def _training_files(job: NegativesJob) -> list[tuple[int, int]]:
    """The files to write besides the pools, by epoch and number."""
    return list(itertools.product(range(0 if job.streams else job.epochs), range(job.sampler.files)))


def _write_file(job: NegativesJob, task: tuple[int, int]) -> Iterator[tuple[int, Written, LeftOver]]:
    epoch, file = task
    written, left_over = write_file(job.sampler, job.examples_uri, epoch, file)
    _advance(job)
    yield epoch, written, left_over


def _left_over_by_epoch(output: tuple[int, Written, LeftOver]) -> Iterator[tuple[int, LeftOver]]:
    yield output[0], output[2]


def _write_pool(job: NegativesJob, pool: tuple[int, Iterable[LeftOver]]) -> Written:
    return write_pool(job.sampler, job.examples_uri, *pool)


def _write_split(job: NegativesJob, split: Split) -> Iterator[Written]:
    yield write_split(job, split)
    _advance(job)


def _advance(job: NegativesJob) -> None:
    if bar := _bars.get(job.examples_uri):
        bar.advance()


def _write_summary(job: NegativesJob, group: tuple[int, Iterable[Written]]) -> None:
    _summary(job, sorted(group[1], key=lambda written: written.name)).write(job.examples_uri)


def _summary(job: NegativesJob, files: list[Written]) -> ExamplesSummary:
    short_users = {file.name: file.short_users for file in files}
    return ExamplesSummary(
        batch_size=job.batch_size,
        epochs=job.epochs,
        num_negatives=job.negatives.num_negatives,
        rows_per_epoch=job.sampler.rows_per_epoch,
        batches_per_epoch=job.sampler.batches_per_epoch,
        users=job.users,
        items=job.items,
        train_positives=job.train_positives,
        protocol=job.negatives.protocol,
        streamed=_streamed(job) if job.streams else None,
        evaluation={split: _layout(job, split, short_users) for split in job.evaluation_splits},
        seed=job.seed,
        fingerprint=storage.fingerprint(list(_identity(job, files))),
    )


def _streamed(job: NegativesJob) -> Streamed:
    return Streamed(
        interactions=job.interactions.summary.fingerprint,
        file_bits=job.sampler.file_bits,
        epochs_ahead=job.negatives.epochs_ahead or None,
    )


def _identity(job: NegativesJob, files: list[Written]) -> Iterator[bytes]:
    """What tells these examples from others: all records, and what those that are not written would be drawn by."""
    for file in files:
        yield from (file.name.encode(), file.digest)
    if job.streams:
        sampler = job.sampler
        numbers = (sampler.file_bits, sampler.num_negatives, sampler.batch_size, sampler.seed)
        yield from (str(part).encode() for part in (sampler.interactions.summary.fingerprint, *numbers))


def _layout(job: NegativesJob, split: Split, short_users: Mapping[str, int]) -> EvaluationLayout:
    users = job.ranked_users(split)
    return EvaluationLayout(
        users=users,
        width=job.width,
        users_per_batch=job.users_per_batch,
        batches=math.ceil(users / job.users_per_batch),
        short_users=short_users[evaluation_file(split)] or None,
    )
