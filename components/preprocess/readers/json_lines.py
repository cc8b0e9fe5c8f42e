"""JSON lines: one object a line."""

from collections.abc import Sequence
from dataclasses import dataclass

from components.preprocess.readers.base import Piece, Reader, Reading, Sample, Source


@dataclass(frozen=True)
class JsonLines(Reader):
    """Lines of JSON objects, plain or compressed."""

    endings: tuple[str, ...]

    def plan(self, source: Source, reading: Reading) -> Sequence[Piece]:
        from components.preprocess.readers.json_pieces import plan_json

        return plan_json(source, reading)

    def sample(self, source: Source) -> Sample:
        from components.preprocess.readers.json_pieces import sample_json

        return sample_json(source)
