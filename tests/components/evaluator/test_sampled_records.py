from typing import Any

import numpy as np
import pytest

from components.ranking import sampled_records
from components.ranking.sampled_records import SampledRecords
from tests.components.evaluator.conftest import NEGATIVES, USERS_PER_BATCH

_FIELDS = ("users", "items", "masked")


def _columns(records: SampledRecords) -> dict[str, np.ndarray]:
    batches = list(records.read())
    assert len(batches) == records.batches
    return {name: np.concatenate([getattr(batch, name) for batch in batches]) for name in _FIELDS}


@pytest.mark.parametrize(
    ("users_at_once", "records_at_once"), [(1, 1), (2 * USERS_PER_BATCH + 1, 2), (1_000 * USERS_PER_BATCH, 1_000)]
)
def test_records_come_together_in_the_same_order(world: Any, users_at_once: int, records_at_once: int) -> None:
    alone = SampledRecords(world.uri("examples"))
    together = SampledRecords(world.uri("examples"), users_at_once)
    assert together.batches == max(1, -(-alone.batches // records_at_once))
    assert alone.batches > 2
    read = _columns(together)
    for name, values in _columns(alone).items():
        np.testing.assert_array_equal(read[name], values)


def test_no_more_candidates_come_at_once_than_memory_is_for(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampled_records, "_MOST_CANDIDATES", 2 * USERS_PER_BATCH * (1 + NEGATIVES))
    records = SampledRecords(world.uri("examples"), 1_000 * USERS_PER_BATCH)
    assert max(len(batch.users) for batch in records.read()) == 2 * USERS_PER_BATCH
