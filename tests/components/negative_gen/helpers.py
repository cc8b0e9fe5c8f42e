"""Interactions artifacts of known content, and readers of what is made of them."""

import itertools
from dataclasses import dataclass
from pathlib import Path

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.options.pipeline_options import PipelineOptions

from components.artifacts import storage
from components.artifacts.records import read_batches
from components.negative_gen.config import NegativesConfig
from components.negative_gen.generate import generate
from components.negative_gen.job import NegativesJob
from components.negative_gen.train_shards import Interactions


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
    uri = folder / "interactions"
    users = len(train)
    bounds = np.linspace(0, users, shards + 1).astype(int)
    described = []
    for shard, (first, end) in enumerate(itertools.pairwise(bounds)):
        rows = {"train": [(u, i) for u in range(first, end) for i in train[u]]}
        for split, chosen in held_out.items():
            rows[split] = [(u, chosen[u]) for u in range(first, end) if u in chosen]
        for split, pairs in rows.items():
            path = uri / f"Split-{split}" / storage.shard_name(shard, shards, "parquet")
            path.parent.mkdir(parents=True, exist_ok=True)
            pairs = np.array(pairs, np.int32).reshape(-1, 2)
            pq.write_table(pa.table({"user": pairs[:, 0], "item": pairs[:, 1]}), path)
        described.append(
            {
                "first_user": int(first),
                "users": int(end - first),
                **{split: len(pairs) for split, pairs in rows.items()},
            }
        )
    if given is not None:
        table = {"user": pa.array(list(given), pa.int32()), "negatives": pa.array(given.values(), pa.list_(pa.int32()))}
        pq.write_table(pa.table(table), uri / storage.GIVEN_NEGATIVES)
    counts = {"train": sum(map(len, train)), **{split: len(chosen) for split, chosen in held_out.items()}}
    storage.write_summary(
        str(uri), {"users": users, "items": items, "interactions": counts, "shards": described, "fingerprint": "0"}
    )
    vocabulary = folder / "vocabulary"
    vocabulary.mkdir()
    pq.write_table(pa.table({"id": [f"u{n}" for n in range(users)]}), vocabulary / storage.USERS_VOCABULARY)
    return Data(str(uri), str(vocabulary), users, items, train, held_out)


def make_job(
    data: Data, out: Path, batch_size=1000, epochs=1, seed=7, max_rows_per_file=1 << 24, **negatives
) -> NegativesJob:
    return NegativesJob(
        interactions=Interactions(data.uri, ["train", *data.held_out]),
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
    files = storage.list_files(str(examples / "Split-train"), "tfrecord", storage.epoch_prefix(epoch))
    batches = [batch for file in files for batch in read_batches(file)]
    return {name: np.concatenate([batch[name] for batch in batches]) for name in ("user", "item", "label")}


def read_lists(examples: Path, split: str) -> dict[str, np.ndarray]:
    """The evaluation rows [users, width], padding included."""
    width = storage.read_summary(str(examples))["eval"][split]["width"]
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
