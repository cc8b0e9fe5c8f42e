"""How much there is to learn from, as far as it is known before a run."""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from components.preprocess.config import PreprocessConfig
from components.preprocess.datasets.base import Dataset, FilesOfRows, Request, Unsplit
from components.preprocess.datasets.files import Files
from components.preprocess.datasets.movielens import MovieLens
from components.preprocess.datasets.ncf import NcfFiles
from components.preprocess.datasets.synthetic import Synthetic
from components.preprocess.readers.base import Source, is_compressed
from components.shared.files.places import is_remote
from components.shared.files.reading import open_file, size_of

if TYPE_CHECKING:
    import pyarrow as pa

    from components.artifacts.interactions_summary import InteractionsSummary
    from components.preprocess.given_split import GivenSplit
    from components.preprocess.rows import Rows

PUBLISHED = {
    "ml-latest-small": (100_836, 610, 9_742),
    "ml-100k": (100_000, 943, 1_682),
    "ml-1m": (1_000_209, 6_040, 3_900),
    "ml-10m": (10_000_054, 71_567, 10_681),
    "ml-20m": (20_000_263, 138_493, 27_278),
    "ml-25m": (25_000_095, 162_541, 62_423),
    "ml-32m": (32_000_204, 200_948, 87_585),
}
"""Ratings, users and movies of MovieLens releases, as their READMEs count them; not all movies have ratings."""

_HEAD_BYTES = 1 << 20
_BLOCKS = 6  # of 2 MiB of text each; to read them takes a tenth of a second
_SHARE_OF_TIME_SPLIT = 0.1


@dataclass(frozen=True)
class Counts:
    """How many rows, users and items there are.

    Attributes:
      rows: of the input.
      users: with training rows.
      items: likewise.
      train: rows to train on.
      validation: users with a row held out for validation.
      test: likewise for the test.
      in_order: whether what is held out is a user's latest.
      generated: whether the rows are drawn by the program, not read.
      negatives: for the test of each user, that the data brings; None where it brings none.
      known: how this is known, in a few words.
    """

    rows: int
    users: int
    items: int
    train: int
    validation: int
    test: int
    in_order: bool
    generated: bool = False
    negatives: int | None = None
    known: str = "counted"

    @property
    def pairs(self) -> int:
        """Pairs of a user and an item."""
        return self.users * self.items

    @property
    def parts(self) -> int:
        """Of how many splits there are records to judge by."""
        return (self.validation > 0) + (self.test > 0)


def counts_of(summary: InteractionsSummary) -> Counts:
    """What Preprocess has counted."""
    return Counts(
        rows=summary.rows_read,
        users=summary.users,
        items=summary.items,
        train=summary.interactions["train"],
        validation=summary.interactions.get("validation", 0),
        test=summary.interactions["test"],
        in_order=summary.timed and summary.latest_held_out,
    )


def find_counts(dataset: Dataset, preprocess: PreprocessConfig, seed: int = 0, quick: bool = False) -> Counts | None:
    """What a data set has, as it says itself, or by a sample of its files; filters are taken to drop nothing.

    Args:
      dataset: of the kind that is chosen.
      preprocess: how it is split.
      seed: of the run.
      quick: looks at nothing that is on the network, or that has to be read whole.

    Returns:
      The counts; None where a quick look tells none, or of a kind of data set that has no files to look at.

    Raises:
      UserError: there are no such files, or they cannot be read.
    """
    if isinstance(dataset, Synthetic):
        sizes = dataset.synthetic_interactions, dataset.synthetic_users, dataset.synthetic_items
        return replace(_split(*sizes, preprocess, timed=True, known="as configured"), generated=True)
    if isinstance(dataset, MovieLens) and (size := PUBLISHED.get(dataset.name)):
        return _split(*size, preprocess, timed=True, known="as published")
    if (quick and not _is_here(dataset)) or not isinstance(dataset, FilesOfRows | NcfFiles):
        return None
    skipping = {"on_bad_row": "skip"} if isinstance(dataset, FilesOfRows) else {}
    found = dataset.model_copy(update=skipping).interactions(
        Request(preprocess.min_rating, preprocess.validation, seed)
    )
    if not isinstance(found, Unsplit):
        return _of_given(found)
    assert isinstance(dataset, FilesOfRows)
    return _by_sample(dataset.source(), found, preprocess)


def _is_here(dataset: Dataset) -> bool:
    """Whether it is files of rows on this machine; a release may have to be downloaded."""
    return isinstance(dataset, Files) and not is_remote(dataset.path)


def _split(rows: int, users: int, items: int, preprocess: PreprocessConfig, timed: bool, known: str) -> Counts:
    """How many rows are held out, as `preprocess.split` says, of each user at most one for each purpose."""
    share = preprocess.split_share or (_SHARE_OF_TIME_SPLIT if preprocess.split == "time" else None)
    held_out = users if share is None else round(share * rows)
    parts = 2 if preprocess.validation else 1
    return Counts(
        rows=rows,
        users=users,
        items=items,
        train=max(rows - parts * held_out, 1),
        validation=min(users, held_out) if preprocess.validation else 0,
        test=min(users, held_out),
        in_order=timed and preprocess.split in ("last", "time"),
        known=known,
    )


def _of_given(found: GivenSplit) -> Counts:
    import numpy as np

    users, items = (len(np.unique(column)) for column in found.train)
    validation = len(found.validation[0]) if found.validation else 0
    return Counts(
        rows=found.rows_read,
        users=users,
        items=items,
        train=len(found.train[0]),
        validation=validation,
        test=len(found.test[0]),
        in_order=found.timed,
        negatives=found.negatives[1].shape[1] if found.negatives else None,
    )


def _by_sample(source: Source, found: Unsplit, preprocess: PreprocessConfig) -> Counts:
    """Rows by the sizes of the files; users and items by how their number grows with the rows of some blocks."""
    blocks = _blocks(found)
    read = sum(len(rows) + rows.bad + rows.below_min_rating + rows.not_wanted for rows in blocks)
    rows = max(_rows_of(source), 1)
    kept = max(round(rows * sum(map(len, blocks)) / max(read, 1)), 1)
    users, items = (_extrapolated([_texts(getattr(block, of)) for block in blocks], kept) for of in ("user", "item"))
    counts = _split(kept, users, items, preprocess, found.timed, f"by a sample of {read:,} rows")
    return replace(counts, rows=rows)


def _blocks(found: Unsplit) -> list[Rows]:
    """The first rows of some pieces, which are spread over the input."""
    step = max(1, len(found.pieces) // _BLOCKS)
    firsts = (next(iter(piece.read()), None) for piece in found.pieces[::step][:_BLOCKS])
    return [rows for rows in firsts if rows is not None]


def _texts(ids: object) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    array = pa.array(ids) if not isinstance(ids, pa.Array) else ids
    return pc.cast(array.dictionary_decode() if pa.types.is_dictionary(array.type) else array, pa.string())


def _extrapolated(blocks: Sequence[pa.Array], rows: int) -> int:
    """How many distinct ids there are in all rows, by those in some blocks.

    Their number grows as a power of the rows (Heaps, Information Retrieval, 1978); the power is what the second half
    of what is known adds to the first.
    """
    import pyarrow as pa

    ids = pa.concat_arrays(blocks) if blocks else pa.array([], pa.string())
    if not len(ids):
        return 1
    known, in_half = len(ids.unique()), len(_every_other(blocks).unique())
    power: float = min(max(math.log2(known / in_half), 0.0), 1.0)
    growth: float = max(rows / len(ids), 1.0) ** power
    return max(round(known * growth), 1)


def _every_other(blocks: Sequence[pa.Array]) -> pa.Array:
    import pyarrow as pa

    if len(blocks) == 1:
        return blocks[0][: (len(blocks[0]) + 1) // 2]
    return pa.concat_arrays(blocks[::2])


def _rows_of(source: Source) -> int:
    if source.format == "parquet":
        return sum(map(_rows_of_parquet, source.paths))
    head, share = _head(source.paths[0])
    return round(sum(map(size_of, source.paths)) / share * head.count(b"\n") / len(head)) if head else 0


def _rows_of_parquet(path: str) -> int:
    import pyarrow.parquet as pq

    with open_file(path) as file:
        rows: int = pq.ParquetFile(file).metadata.num_rows
    return rows


def _head(path: str) -> tuple[bytes, float]:
    """The first bytes of a file, decompressed, and how many bytes of the file there are for one of them."""
    from components.preprocess.readers.opening import open_bytes

    with open_bytes(path) as file:
        head = file.read(_HEAD_BYTES)
    # As dense as zlib makes it: gzip's very own, and near the others.
    return head, len(zlib.compress(head)) / len(head) if is_compressed(path) and head else 1.0
