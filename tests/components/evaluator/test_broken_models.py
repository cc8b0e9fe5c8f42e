import shutil
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from components.shared.errors import UserError
from tests.components.evaluator.running import model_path, run_executor


def _cut_off(world: Any) -> None:
    path = world.root / "model/Format-Serving/saved_model.pb"
    path.write_bytes(path.read_bytes()[:1000])


def _without_variables(world: Any) -> None:
    shutil.rmtree(world.root / "model/Format-Serving/variables")


def _without_model(world: Any) -> None:
    shutil.rmtree(world.root / "model")


@pytest.mark.parametrize("breaks", [_cut_off, _without_variables, _without_model])
def test_a_broken_model_gives_one_clear_line(
    world: Any, save_model: Callable[..., None], breaks: Callable[[Any], None]
) -> None:
    save_model(model_path(world), world.good_scores(), world)
    breaks(world)
    with pytest.raises(UserError, match=r"^the model at .*Format-Serving cannot be loaded \(.*train it again$"):
        run_executor(world)
    assert not (world.root / "evaluation").exists()
    assert not (world.root / "blessing").exists()


def test_a_model_without_the_signatures_gives_one_clear_line(world: Any) -> None:
    import tensorflow as tf

    tf.saved_model.save(tf.Module(), model_path(world))
    with pytest.raises(
        UserError, match="lacks the signature serving_default, recommend, score_candidates, score_all_items"
    ):
        run_executor(world)


def test_a_model_of_other_data_gives_one_clear_line(world: Any, save_model: Callable[..., None]) -> None:
    save_model(model_path(world), np.zeros((130, 41), np.float32), world)
    with pytest.raises(UserError, match=r"scores of shape \[130, 41\] from score_all_items where \[130, 40\]"):
        run_executor(world)
