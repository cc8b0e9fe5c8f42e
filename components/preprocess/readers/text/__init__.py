"""Delimited text, with any separator."""

from collections.abc import Sequence
from dataclasses import dataclass

from components.preprocess.readers.base import Piece, Reader, Reading, Sample, Source


@dataclass(frozen=True)
class Text(Reader):
    """Lines of columns with a separator between them, plain or compressed."""

    endings: tuple[str, ...]
    separator: str

    def plan(self, source: Source, reading: Reading) -> Sequence[Piece]:
        from components.preprocess.readers.text.pieces import plan_text

        return plan_text(source, reading, self.separator)

    def sample(self, source: Source) -> Sample:
        from components.preprocess.readers.text.layout import sample_text

        return sample_text(source, self.separator)
