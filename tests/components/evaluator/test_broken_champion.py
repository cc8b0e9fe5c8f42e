"""A champion that cannot be compared says why, and nothing is taken for better than it."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from components.artifacts.evaluation import ChampionStatus
from tests.components.evaluator.test_champion import compare


def _cut_off(model: Path) -> None:
    path = model / "saved_model.pb"
    path.write_bytes(path.read_bytes()[:1000])


def _overwritten(model: Path) -> None:
    (model / "saved_model.pb").write_bytes(b"not a model")


def _without_variables(model: Path) -> None:
    shutil.rmtree(model / "variables")


def _with_damaged_variables(model: Path) -> None:
    path = model / "variables" / "variables.data-00000-of-00001"
    path.write_bytes(path.read_bytes()[:100])


def _without_signatures(model: Path) -> None:
    shutil.rmtree(model)
    tf.saved_model.save(tf.Module(), str(model))


@pytest.mark.parametrize(
    ("breaks", "says"),
    [
        (_cut_off, "cannot be loaded ("),
        (_overwritten, "cannot be loaded ("),
        (_without_variables, "cannot be loaded ("),
        (_with_damaged_variables, "cannot be loaded ("),
        (_without_signatures, "lacks the signature serving_default"),
    ],
)
def test_a_corrupted_champion_is_broken_and_says_how(
    world: Any, save_model: Callable[..., None], destination: Path, breaks: Callable[[Path], None], says: str
) -> None:
    save_model(str(destination / "2"), world.good_scores(), world)
    breaks(destination / "2")

    evidence = compare(world, world.good_scores(), destination)

    assert evidence.status is ChampionStatus.BROKEN
    assert (evidence.version, evidence.path) == ("2", str(destination / "2"))
    assert evidence.detail.startswith(f"the champion cannot be compared: the model at {destination / '2'} {says}")
    assert evidence.detail.endswith(
        "; remove that version from the push destination, or set evaluator.champion_margin and evaluator.slice_margin "
        "to null"
    )
    assert "\n" not in evidence.detail


def test_a_damaged_version_is_passed_over_for_the_newest_whole_one(
    world: Any, save_model: Callable[..., None], destination: Path
) -> None:
    for version, breaks in ((1, None), (2, None), (3, _cut_off), (4, _with_damaged_variables)):
        save_model(str(destination / str(version)), world.good_scores(), world)
        if breaks:
            breaks(destination / str(version))

    evidence = compare(world, world.good_scores(), destination)

    assert evidence.status is ChampionStatus.COMPARED
    assert (evidence.version, evidence.path) == ("2", str(destination / "2"))
    assert evidence.warning == (
        f"version 4, 3 are damaged, and 2 is taken instead; remove {destination / '4'}, or push again"
    )


def test_a_champion_without_the_flags_is_broken(world: Any, destination: Path) -> None:
    class Foreign(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.int64), tf.TensorSpec([None, None], tf.int64)])
        def serve(self, user_id: tf.Tensor, item_ids: tf.Tensor) -> dict[str, tf.Tensor]:
            return {"scores": tf.cast(item_ids, tf.float32), "known_user": user_id}

    model = Foreign()
    tf.saved_model.save(model, str(destination / "1"), signatures={"serving_default": model.serve})

    evidence = compare(world, world.good_scores(), destination)

    assert evidence.status is ChampionStatus.BROKEN
    assert "gives no known_item from serving_default" in evidence.detail


def test_a_champion_that_scores_nan_is_broken(world: Any, save_model: Callable[..., None], destination: Path) -> None:
    scores = world.good_scores()
    scores[3, world.positives[3]] = np.nan
    save_model(str(destination / "1"), scores, world)

    evidence = compare(world, world.good_scores(), destination)

    assert evidence.status is ChampionStatus.BROKEN
    assert "it gives scores that are not finite" in evidence.detail
