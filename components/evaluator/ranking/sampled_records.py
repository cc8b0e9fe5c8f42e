"""Reads the sampled test records of the examples artifact."""

from collections.abc import Iterator

from components.artifacts import storage
from components.artifacts.records import read_batches
from components.evaluator.ranking.ranks import Candidates


class SampledRecords:
    """For every test user the held-out item and the negatives drawn for it."""

    def __init__(self, uri: str):
        """Takes the examples artifact.

        Raises:
          UserError: the artifact is not whole.
        """
        layout = storage.read_summary(uri)["eval"]["test"]
        self.batches: int = layout["batches"]
        self.negatives: int = layout["width"] - 1
        self._files = storage.list_files(storage.split_dir(uri, "test"), "tfrecord")

    def read(self) -> Iterator[Candidates]:
        """Reads batch by batch; the last one may hold users that are padding.

        Raises:
          UserError: a file is damaged.
        """
        for path in self._files:
            for batch in read_batches(path):
                user, item, mask = (batch[name].reshape(-1, 1 + self.negatives) for name in ("user", "item", "mask"))
                yield Candidates(user[:, 0], item, mask > 0)
