from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from components.artifacts.vocabulary import Vocabulary
from components.ranking.compiled_scorer import CompiledScorer, fastest_scorer
from components.ranking.difference import largest_difference
from components.serving.exporter import ServingModel
from components.serving.loader import ServedModel
from components.serving.seen_items import SeenItems
from components.trainer.model import NeuMF

USERS, ITEMS = 30, 205  # more than two blocks of items, the last one not full
ALL = np.arange(USERS, dtype=np.int32)


def saved(folder: Path, factors: int, layers: tuple[int, ...], spoil: str = "", other_formula: bool = False) -> Any:
    class Model(NeuMF):
        def score_all(self, user_rows: Any, item_rows: Any) -> Any:
            scores = super().score_all(user_rows, item_rows)
            return 2 * scores if other_formula else scores

    model = Model(USERS, ITEMS, factors, layers, embedding_stddev=1.0)
    random = np.random.default_rng(0)
    for variable in model.variables:
        if variable.path.endswith("bias"):
            variable.assign(random.normal(0, 0.3, variable.shape))
        if spoil and variable.path.endswith(spoil):
            values = np.array(variable)
            values[3, 1] = np.nan
            variable.assign(values)
    vocabulary = Vocabulary(np.arange(USERS), np.arange(ITEMS), np.ones(USERS, np.int64), np.ones(ITEMS, np.int64))
    ServingModel(model, vocabulary, SeenItems.nothing(len(vocabulary.user_ids))).save(str(folder / "model"))
    return ServedModel(str(folder / "model"), ITEMS)


@pytest.mark.parametrize(
    ("factors", "layers"),
    [(4, (8, 6)), (0, (16, 8, 4)), (5, (12, 7, 5, 3)), (64, (256, 256, 128, 64)), (3, (4, 33, 2))],
)
def test_scores_are_those_of_the_signature(tmp_path: Path, factors: int, layers: tuple[int, ...]) -> None:
    model = saved(tmp_path, factors, layers)
    scorer = fastest_scorer(model)

    assert isinstance(scorer, CompiledScorer)
    for users in (ALL, ALL[:1], ALL[[7, 2, 7]]):
        assert largest_difference(model.score_all_items(users), scorer.score_all_items(users)) < 1e-5
    items = np.arange(20, dtype=np.int32).reshape(2, 10)
    assert (scorer.score_candidates(ALL[:2], items) == model.score_candidates(ALL[:2], items)).all()


@pytest.mark.parametrize("factors", [4, 600])
@pytest.mark.parametrize("candidates", [2, 10, 40])  # ITEMS are many more than 2, for wide vectors not than 10
def test_candidates_may_be_looked_up_among_all_items(tmp_path: Path, factors: int, candidates: int) -> None:
    model = saved(tmp_path, factors, (8, 4))
    scorer = fastest_scorer(model)

    assert isinstance(scorer, CompiledScorer)
    assert largest_difference(model.score_all_items(ALL), scorer.score_all_items(ALL)) < 1e-5
    items = np.arange(2 * candidates, dtype=np.int32).reshape(2, candidates)
    found, expected = (scores.score_candidates(ALL[:2], items) for scores in (scorer, model))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_threads_score_at_the_same_time(tmp_path: Path) -> None:
    scorer = fastest_scorer(saved(tmp_path, 4, (8, 6, 4)))
    alone = scorer.score_all_items(ALL)
    with ThreadPoolExecutor(8) as pool:
        for scores in pool.map(scorer.score_all_items, [ALL] * 64):
            assert (scores == alone).all()


@pytest.mark.parametrize("spoilt", ["user_table", "item_table", "first_kernel", "dense_2/kernel"])
def test_a_weight_that_is_not_a_number_is_found_and_shows_in_compiled_scores(tmp_path: Path, spoilt: str) -> None:
    model = saved(tmp_path, 4, (8, 6, 4), spoil=spoilt)
    # The signature's own scores may all be finite: TensorFlow's fused kernels of some CPUs turn NaN into zero.
    assert model.weights_not_finite() > 0
    weights = model.weights()
    assert weights is not None
    assert np.isnan(CompiledScorer(model, weights).score_all_items(ALL)).any()


def test_weights_are_finite(tmp_path: Path) -> None:
    assert saved(tmp_path, 4, (8, 6, 4)).weights_not_finite() == 0


def test_scores_that_are_not_finite_are_left_to_the_model(tmp_path: Path) -> None:
    model = saved(tmp_path, 4, (8, 6, 4), spoil="item_table")
    assert fastest_scorer(model) is model


def test_factors_alone_are_left_to_the_model(tmp_path: Path) -> None:
    model = saved(tmp_path, 8, ())
    assert fastest_scorer(model) is model


def test_another_formula_with_the_same_weights_is_left_to_the_model(tmp_path: Path) -> None:
    model = saved(tmp_path, 4, (8, 6, 4), other_formula=True)
    assert fastest_scorer(model) is model


def test_what_layers_are_called_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dense = keras.layers.Dense
    monkeypatch.setattr(
        keras.layers, "Dense", lambda *units, name, **options: dense(*units, name=name[::-1], **options)
    )
    model = saved(tmp_path, 4, (8, 6, 4))
    scorer = fastest_scorer(model)
    assert isinstance(scorer, CompiledScorer)
    assert largest_difference(model.score_all_items(ALL), scorer.score_all_items(ALL)) < 1e-5


def test_a_model_that_declares_no_weights_is_scored_by_its_own_signature(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(NeuMF, "scoring_weights", lambda *_: None)  # as those were that were pushed before
    model = saved(tmp_path, 4, (8, 6, 4))
    assert model.weights() is None
    assert fastest_scorer(model) is model


def test_another_model_is_left_to_itself(make_world: Callable[..., Any], save_model: Callable[..., None]) -> None:
    world = make_world()
    save_model(world.uri("model/Format-Serving"), world.good_scores(), world)
    model = ServedModel(world.uri("model/Format-Serving"), 40)
    assert fastest_scorer(model) is model
