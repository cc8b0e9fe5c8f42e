"""Apache Parquet."""

from collections.abc import Sequence
from dataclasses import dataclass

from components.preprocess.readers.base import Piece, Reader, Reading, Sample, Source


@dataclass(frozen=True)
class Parquet(Reader):
    """Parquet files, whose columns have names and types of their own."""

    endings: tuple[str, ...]

    def plan(self, source: Source, reading: Reading) -> Sequence[Piece]:
        from components.preprocess.readers.parquet_pieces import plan_parquet

        return plan_parquet(source, reading)

    def sample(self, source: Source) -> Sample:
        from components.preprocess.readers.parquet_pieces import sample_parquet

        return sample_parquet(source)
