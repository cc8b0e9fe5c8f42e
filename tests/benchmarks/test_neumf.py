import numpy as np
import pytest

from benchmarks import neumf
from benchmarks.neumf import Model, Step

_SMALL = Model(factors=3, layers=(8, 6, 5), batch_size=4)


def test_a_step_has_the_distinct_users_and_items_of_its_batch() -> None:
    user = np.array([0, 0, 0, 1, 2, 2, 3, 4, 9], "i4")  # batches of 2 and 3 distinct users; the ninth row is left over
    item = np.array([5, 5, 5, 5, 5, 6, 7, 8, 9], "i4")  # 1 and 4
    assert neumf.mean_step(user, item, batch_size=4) == Step(pairs=4, distinct=(2 + 3) / 2 + (1 + 4) / 2)


def test_the_first_layer_is_counted_once_for_each_row_and_the_rest_for_each_pair() -> None:
    of_pair = 2 * (6 * 5 + 5 + 3)
    of_row = 2 * 4 * 6
    assert neumf.flops_of_pair(_SMALL) == of_pair
    assert neumf.flops_of_step(_SMALL, Step(10, 7)) == 3 * (10 * of_pair + 7 * of_row)


def test_bytes_grow_by_the_pairs_and_by_the_rows_that_the_optimiser_moves() -> None:
    of_pair = 4 * (3 * 2 * (3 + 6) + 4 * (6 + 5)) + 9
    of_row = 4 * 6 * (3 + 4)
    assert neumf.bytes_of_step(_SMALL, Step(10, 7), moved_rows=7) == 10 * of_pair + 7 * of_row
    assert neumf.bytes_of_step(_SMALL, Step(10, 7), moved_rows=100) == 10 * of_pair + 100 * of_row


@pytest.mark.parametrize("name", ["mlperf", "ncf8"])
def test_models_are_those_of_the_published_settings(name: str) -> None:
    model = neumf.MODELS[name]
    assert (model.factors, model.layers) == {"mlperf": (64, (256, 256, 128, 64)), "ncf8": (8, (64, 32, 16, 8))}[name]
