from pathlib import Path

from benchmarks import ranking
from benchmarks.neumf import Shape, flops_of_pair


def test_the_work_of_a_pair_is_that_of_the_layers_after_the_first_one_and_of_the_head() -> None:
    assert flops_of_pair(ranking.MODEL) == 2 * (256 * 128 + 128 * 64 + 64 + 64)


def test_ranks_every_user_through_the_saved_model(tmp_path: Path) -> None:
    ranking.save_model(str(tmp_path), Shape(40, 30, 0))
    seconds, speed = ranking._rank(str(tmp_path), ranking.random_holdouts(40, 30, 5), 30)
    assert seconds > 0
    assert speed > 0
