"""The compiled loops over raw ids against plain Python."""

import numpy as np
import pytest

from components.preprocess import loops


@pytest.mark.parametrize("seed", range(40))
def test_runs_and_marks_of_ids(seed: int) -> None:
    random = np.random.default_rng(seed)
    ids = np.sort(random.integers(0, random.integers(1, 12), random.integers(0, 60))).astype(np.int32)
    firsts = [row for row, user in enumerate(ids) if row == 0 or ids[row - 1] != user]
    assert loops.runs(ids).tolist() == firsts
    marked = loops.marks(ids - 4, -4, 12)
    assert np.flatnonzero(marked).tolist() == sorted(set(ids.tolist()))
