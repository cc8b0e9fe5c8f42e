"""Apache Parquet."""

from collections.abc import Sequence
from dataclasses import dataclass

from components.preprocess.readers.base import Piece, Reader, Reading, Source


@dataclass(frozen=True)
class Parquet(Reader):
    """Parquet files, whose columns have names and types of their own."""

    endings: tuple[str, ...]

    def plan(self, source: Source, reading: Reading) -> Sequence[Piece]:
        from components.preprocess.readers.parquet_pieces import plan_parquet

        return plan_parquet(source, reading)
