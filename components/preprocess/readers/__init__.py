"""How files of interactions are read: `READERS` has every input format.

A new format is a class in a file of its own, with a line here. What it imports at its top is loaded with the
configuration, on every start: what is large (NumPy, Arrow, Beam) it imports where it plans.
"""

import os
from collections.abc import Sequence

from components.preprocess.readers.base import Piece, Reader, Reading, Source, plain_name
from components.preprocess.readers.json_lines import JsonLines
from components.preprocess.readers.parquet import Parquet
from components.preprocess.readers.text import Text

READERS: dict[str, Reader] = {
    "csv": Text(endings=(".csv", ".txt", ".dat", ".data"), separator=","),
    "tsv": Text(endings=(".tsv", ".tab"), separator="\t"),
    "json": JsonLines(endings=(".json", ".jsonl", ".ndjson")),
    "parquet": Parquet(endings=(".parquet", ".pq")),
}


def format_of(path: str) -> str | None:
    """The format that a file's name tells of, compressed or not; None where it tells of none.

    Example:
      `format_of("clicks.TSV.gz")` is "tsv"; `format_of("ratings.xlsx")` is None.
    """
    ending = os.path.splitext(plain_name(path))[1].lower()
    return next((name for name, reader in READERS.items() if ending in reader.endings), None)


def plan(source: Source, reading: Reading) -> Sequence[Piece]:
    """Cuts the files of a source into pieces.

    Raises:
      UserError: a file cannot be read, or lacks a column.
    """
    return READERS[source.format].plan(source, reading)
