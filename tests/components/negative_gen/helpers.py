"""Interactions artifacts of known content, and readers of what is made of them."""

from dataclasses import dataclass
from pathlib import Path

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.options.pipeline_options import PipelineOptions

from components.artifacts.examples import list_training_files
from components.artifacts.interactions import Interactions
from components.artifacts.records import read_batches
from components.artifacts.vocabulary import write_vocabulary
from components.negative_gen.config import NegativesConfig
from components.negative_gen.generate import generate
from components.negative_gen.job import NegativesJob
from tests.components.artifacts.handmade import write_interactions


@dataclass(frozen=True)
class Data:
    """An interactions artifact, and what is in it."""

    uri: str
    vocabulary_uri: str
    users: int
    items: int
    train: list[list[int]]  # by user
    held_out: dict[str, dict[int, int]]  # item by user, by split


def write_artifacts(folder: Path, items, train, held_out, shards=3, given=None) -> Data:
    """Writes interactions and vocabulary; raw id of user n is "u<n>"."""
    uri, vocabulary_uri, users = str(folder / "interactions"), str(folder / "vocabulary"), len(train)
    rows = {"train": [(user, item) for user, mine in enumerate(train) for item in mine]}
    rows |= {split: sorted(chosen.items()) for split, chosen in held_out.items()}
    write_interactions(uri, rows, users, items, shards)
    if given is not None:  # lists of any length, unlike those that Preprocess writes
        table = {"user": pa.array(list(given), pa.int32()), "negatives": pa.array(given.values(), pa.list_(pa.int32()))}
        pq.write_table(pa.table(table), f"{uri}/given_negatives.parquet")
    user_ids, item_ids = pa.array([f"u{n}" for n in range(users)]), pa.array(np.arange(items))
    write_vocabulary(vocabulary_uri, user_ids, item_ids, np.ones(users, int), np.ones(items, int))
    return Data(uri, vocabulary_uri, users, items, train, held_out)


def make_job(
    data: Data, out: Path, batch_size=1000, epochs=1, seed=7, max_rows_per_file=1 << 24, **negatives
) -> NegativesJob:
    return NegativesJob(
        interactions=Interactions(data.uri),
        evaluation_splits=tuple(data.held_out),
        vocabulary_uri=data.vocabulary_uri,
        examples_uri=str(out),
        negatives=NegativesConfig(**{"num_eval_negatives": 99, **negatives}),
        batch_size=batch_size,
        epochs=epochs,
        seed=seed,
        max_rows_per_file=max_rows_per_file,
    )


def run(job: NegativesJob, *options: str) -> Path:
    with beam.Pipeline(options=PipelineOptions(["--runner=FnApiRunner", *options])) as pipeline:
        generate(pipeline, job)
    return Path(job.examples_uri)


def read_epoch(examples: Path, epoch: int) -> dict[str, np.ndarray]:
    """The rows of an epoch in the order of its files, [rows]."""
    batches = [batch for file in list_training_files(str(examples), epoch) for batch in read_batches(file)]
    return {name: np.concatenate([batch[name] for batch in batches]) for name in ("user", "item", "label")}


def read_lists(examples: Path, split: str, width: int = 100) -> dict[str, np.ndarray]:
    """The evaluation rows [users, width], padding included."""
    batches = list(read_batches(str(examples / f"Split-{split}" / "shard-00000-of-00001.tfrecord")))
    return {name: np.concatenate([batch[name] for batch in batches]).reshape(-1, width) for name in batches[0]}


def contents(examples: Path) -> dict[str, bytes]:
    return {str(path.relative_to(examples)): path.read_bytes() for path in examples.rglob("*") if path.is_file()}


def random_data(folder: Path, users=60, items=200, seed=0, least=5, most=60, **options) -> Data:
    random = np.random.default_rng(seed)
    chosen = [random.permutation(items)[: random.integers(least, most)].tolist() for _ in range(users)]
    return write_artifacts(folder, items, [row[:-2] for row in chosen], last_two(chosen), **options)


def last_two(rows) -> dict[str, dict[int, int]]:
    return {
        "validation": {user: int(row[-2]) for user, row in enumerate(rows)},
        "test": {user: int(row[-1]) for user, row in enumerate(rows)},
    }
