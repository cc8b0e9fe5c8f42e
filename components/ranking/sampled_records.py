"""Reads the sampled test records of the examples artifact."""

from collections.abc import Iterator

from components.artifacts.examples import ExamplesSummary, list_evaluation_files
from components.artifacts.records import read_batches
from components.ranking.ranks import Candidates


class SampledRecords:
    """For every test user the held-out item and the negatives drawn for it."""

    def __init__(self, uri: str):
        """Takes the examples artifact.

        Raises:
          UserError: the artifact is not whole.
        """
        layout = ExamplesSummary.read(uri).evaluation["test"]
        self.batches = layout.batches
        self.negatives = layout.width - 1
        self._files = list_evaluation_files(uri, "test")

    def read(self) -> Iterator[Candidates]:
        """Reads batch by batch; the last one may hold users that are padding.

        Raises:
          UserError: a file is damaged.
        """
        for path in self._files:
            for batch in read_batches(path):
                user, item, mask = (batch[name].reshape(-1, 1 + self.negatives) for name in ("user", "item", "mask"))
                yield Candidates(user[:, 0], item, mask > 0)
