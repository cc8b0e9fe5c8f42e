"""Reading and decoding training examples alone, from TFRecords on disk to batches in memory.

Measured is what the trainer iterates over, in a process of its own, on files that are in the page cache. Beside it,
the same files parsed by tf.data's own operations.
"""

import itertools
import os
import tempfile
import time
from collections.abc import Callable, Iterable
from typing import Any

import click

from benchmarks.harness import Result, measure
from benchmarks.neumf import SHAPES, Shape

_PARALLEL = 2

# From a folder of examples and the number of batches in an element to the elements of its first epoch, each
# beginning with how many batches it has.
Reader = Callable[[str, int], Iterable[Any]]


@click.command(help=__doc__)
@click.option("--shape", "size", type=click.Choice(list(SHAPES)), default="ml-20m", show_default=True)
@click.option("--batch", type=click.IntRange(1), default=98_304, show_default=True, help="Rows of a batch.")
@click.option("--steps", type=click.IntRange(1), default=64, show_default=True, help="Batches in an element.")
@click.option("--passes", type=click.IntRange(1), default=3, show_default=True, help="Over one epoch.")
def command(size: str, batch: int, steps: int, passes: int) -> list[Result]:
    """Measures and compares."""
    with tempfile.TemporaryDirectory(prefix="reading-") as folder:
        uri = f"{folder}/examples"
        measure(_write, uri, SHAPES[size], batch)
        ours = measure(_speed, _read, uri, steps, passes)
        peer = measure(_speed, _read_by_tf_data, uri, steps, passes)
    return [
        Result("examples_per_second_millions", ours.value / 1e6, "M examples/s", bar=30),
        Result("tf_data_examples_per_second_millions", peer.value / 1e6, "M examples/s"),
        Result("ratio_to_tf_data", ours.value / peer.value, "times as fast"),
        Result("peak_memory_gb", ours.peak_memory_gb, "GB"),
    ]


def _write(uri: str, shape: Shape, batch: int) -> None:
    from benchmarks.examples import write_examples

    write_examples(uri, shape, batch, epochs=1)


def _speed(read: Reader, uri: str, steps: int, passes: int) -> float:
    """Rows a second over some passes, after one that is not measured."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from components.trainer.data import Examples

    def read_epoch() -> int:
        return sum(int(element[0]) for element in read(uri, steps))

    examples = Examples.open(uri)
    batches = read_epoch()
    assert batches == examples.summary.batches_per_epoch
    start = time.perf_counter()
    for _ in range(passes):
        read_epoch()
    return passes * batches * examples.summary.batch_size / (time.perf_counter() - start)


def _read(uri: str, steps: int) -> Iterable[Any]:
    from components.trainer.data import Examples

    return itertools.chain.from_iterable(Examples.open(uri).training_epochs([0], steps))


def _read_by_tf_data(uri: str, steps: int) -> Iterable[Any]:
    """Number of batches, users, items and labels, several batches at a time."""
    import tensorflow as tf

    from components.artifacts.examples import list_training_files

    columns = {"user": tf.int32, "item": tf.int32, "label": tf.uint8}

    def decode(records: Any) -> tuple[Any, ...]:
        parsed = tf.io.parse_example(records, {name: tf.io.FixedLenFeature((), tf.string) for name in columns})
        return tf.size(records), *(tf.io.decode_raw(parsed[name], dtype) for name, dtype in columns.items())

    records = tf.data.TFRecordDataset(list_training_files(uri, 0), buffer_size=4 << 20, num_parallel_reads=_PARALLEL)
    return records.batch(steps).map(decode, num_parallel_calls=_PARALLEL).prefetch(2)
