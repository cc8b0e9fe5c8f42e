"""Reads the sampled test records of the examples artifact."""

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from components.artifacts.examples import ExamplesSummary, list_evaluation_files
from components.artifacts.records import read_batches
from components.ranking.ranks import Candidates

_MOST_CANDIDATES = 1 << 18


class SampledRecords:
    """For every test user the held-out item and the negatives drawn for it."""

    def __init__(self, uri: str, users_at_once: int = 1):
        """Takes the examples artifact.

        Args:
          uri: of the artifact.
          users_at_once: about so many users make a batch, where they have few enough candidates for that: scores of all
            items take less time for many users. A batch has those of one record at least.

        Raises:
          UserError: the artifact is not whole.
        """
        layout = ExamplesSummary.read(uri).evaluation["test"]
        self.negatives = layout.width - 1
        users = min(users_at_once, _MOST_CANDIDATES // layout.width)
        self._records_at_once = max(1, users // layout.users_per_batch)
        self.batches = -(-layout.batches // self._records_at_once)
        self._files = list_evaluation_files(uri, "test")

    def read(self) -> Iterator[Candidates]:
        """Reads batch by batch; the last one may hold users that are padding.

        Raises:
          UserError: a file is damaged.
        """
        records = self._read_records()
        while some := list(itertools.islice(records, self._records_at_once)):
            yield _joined(some)

    def _read_records(self) -> Iterator[Candidates]:
        for path in self._files:
            for record in read_batches(path):
                user, item, mask = (record[name].reshape(-1, 1 + self.negatives) for name in ("user", "item", "mask"))
                yield Candidates(user[:, 0], item, mask > 0)


def _joined(parts: Sequence[Candidates]) -> Candidates:
    return Candidates(
        np.concatenate([part.users for part in parts]),
        np.concatenate([part.items for part in parts]),
        np.concatenate([part.masked for part in parts]),
    )
