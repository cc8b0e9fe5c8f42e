from pathlib import Path

import numpy as np
import pytest

from tests.components.negative_gen.helpers import Data, last_two, make_job, run, write_artifacts


@pytest.fixture(scope="session")
def ml_100k(shared_data, tmp_path_factory) -> Data:
    """MovieLens-100K, leave-last-out; user 0 is raw user 1."""
    table = np.loadtxt(shared_data / "ml-100k" / "u.data", dtype=np.int64)
    _, user = np.unique(table[:, 0], return_inverse=True)
    items, item = np.unique(table[:, 1], return_inverse=True)
    order = np.lexsort((item, table[:, 3], user))
    rows = np.split(item[order], np.cumsum(np.bincount(user))[:-1])
    train = [row[:-2].tolist() for row in rows]
    return write_artifacts(tmp_path_factory.mktemp("ml_100k"), len(items), train, last_two(rows), shards=5)


@pytest.fixture(scope="session")
def ml_100k_examples(ml_100k, tmp_path_factory) -> Path:
    """Two epochs of it, in batches of 1,000 and four files each; 99 evaluation negatives."""
    return run(make_job(ml_100k, tmp_path_factory.mktemp("examples"), epochs=2, max_rows_per_file=140_000))
