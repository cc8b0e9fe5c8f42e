"""One pass over the input: what Preprocess would make of it."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from components.artifacts.interactions_summary import InteractionsSummary
from components.artifacts.vocabulary import RawIds, Vocabulary
from components.preprocess.config import DatasetConfig, PreprocessConfig
from components.preprocess.datasets.base import Request, Unsplit
from components.preprocess.run import write_artifacts
from components.shared.errors import UserError


@dataclass(frozen=True)
class Counted:
    """What is in the input.

    Attributes:
      summary: what Preprocess says of it, rows that cannot be read left out.
      user_ids: what the ids of the users are: integers or texts.
      item_ids: those of the items.
    """

    summary: InteractionsSummary
    user_ids: str
    item_ids: str

    @property
    def bad_rows(self) -> int:
        """How many rows cannot be read."""
        return self.summary.dropped.bad_rows


def count(dataset: DatasetConfig, preprocess: PreprocessConfig) -> Counted:
    """Reads everything once, and keeps nothing of it.

    Raises:
      UserError: the input cannot be read at all, or nothing is left of it.
    """
    skipping = dataset.model_copy(update={"on_bad_row": "skip"})
    with tempfile.TemporaryDirectory(prefix="neumf-") as folder:
        interactions, vocabulary = (str(Path(folder) / name) for name in ("interactions", "vocabulary"))
        summary = write_artifacts(skipping, preprocess, 0, interactions, vocabulary, _pipeline)
        found = Vocabulary.open(vocabulary)
        return Counted(summary, _kind(found.user_ids), _kind(found.item_ids))


def first_fault(dataset: DatasetConfig) -> str:
    """What is wrong with the first row that cannot be read, and where it is; empty where there is none."""
    found = dataset.chosen.interactions(Request(None, True, 0))
    assert isinstance(found, Unsplit)
    try:
        for piece in found.pieces:
            for _ in piece.read():
                pass
    except UserError as error:
        # What follows is about settings, which are being found here.
        return str(error).partition("; mend it")[0]
    return ""


def reads_any_row(dataset: DatasetConfig) -> bool:
    """Whether there is a row that can be read and is wanted."""
    found = dataset.chosen.interactions(Request(None, True, 0))
    assert isinstance(found, Unsplit)
    return any(len(rows.user) for piece in found.pieces for rows in piece.read())


def _pipeline() -> beam.Pipeline:
    return beam.Pipeline(runner="FnApiRunner", options=PipelineOptions(["--direct_num_workers=1"]))


def _kind(ids: RawIds) -> str:
    return "integers" if ids.dtype.kind == "i" else "texts"
