"""Published figures on the NCF paper's files, through the real steps: Preprocess, NegativeGen, the evaluation."""

from collections.abc import Callable
from pathlib import Path

import apache_beam as beam
import pytest

from components.artifacts.evaluation import ByWay, Evaluation
from components.artifacts.interactions import Interactions
from components.artifacts.vocabulary import Vocabulary
from components.evaluator.config import EvaluatorConfig
from components.evaluator.evaluation import evaluate
from components.evaluator.trials import Sources
from components.negative_gen.config import NegativesConfig
from components.negative_gen.generate import generate
from components.negative_gen.job import NegativesJob
from components.preprocess.config import DatasetConfig, PreprocessConfig
from components.preprocess.run import write_artifacts
from components.serving.exporter import ServingModel
from components.serving.seen_items import SeenItems
from components.trainer.model import NeuMF

Evaluate = Callable[..., Evaluation]


@pytest.fixture(scope="module")
def evaluate_ml_1m(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Evaluate:
    """Evaluates an untrained model, with some configuration."""
    folder = tmp_path_factory.mktemp("ml-1m")
    sources = Sources(*(str(folder / name) for name in ("model", "examples", "interactions", "vocabulary")))
    dataset = DatasetConfig(kind="ncf", path=str(shared_data / "ml-1m-ncf"))
    preprocess = PreprocessConfig(min_interactions=1, min_item_interactions=1, validation=False)
    write_artifacts(dataset, preprocess, 0, sources.interactions, sources.vocabulary, beam.Pipeline)
    job = NegativesJob(
        interactions=Interactions(sources.interactions),
        evaluation_splits=("test",),
        vocabulary_uri=sources.vocabulary,
        examples_uri=sources.examples,
        negatives=NegativesConfig(protocol="ncf"),
        batch_size=1024,
        epochs=0,
        seed=0,
    )
    with beam.Pipeline() as pipeline:
        generate(pipeline, job)
    vocabulary = Vocabulary.open(sources.vocabulary)
    model = NeuMF(len(vocabulary.user_ids), len(vocabulary.item_ids), num_factors=8, layers=())
    ServingModel(model, vocabulary, SeenItems.open(sources.interactions, len(vocabulary.user_ids))).save(sources.model)
    return lambda **config: evaluate(sources, EvaluatorConfig(bootstrap_samples=100, **config), seed=0)


@pytest.mark.slow
def test_baselines_have_the_published_accuracy(evaluate_ml_1m: Evaluate) -> None:
    found = evaluate_ml_1m()
    popularity, als = found.systems["popularity"], found.systems["als"]
    assert 0.453 <= popularity.sampled["HR@10"] <= 0.454
    assert 0.254 <= popularity.sampled["NDCG@10"] <= 0.255
    assert popularity.full["HR@10"] == pytest.approx(0.0414, abs=1e-4)
    assert popularity.full["NDCG@10"] == pytest.approx(0.0204, abs=1e-4)
    assert als.sampled["HR@10"] >= 0.725
    assert als.sampled["NDCG@10"] >= 0.445
    assert als.full["HR@10"] >= 0.1
    low, high = als.intervals.sampled["HR@10"]
    assert low < als.sampled["HR@10"] < high < low + 0.03
    assert found.differences["als"].sampled["HR@10"].high < -0.5
    assert found.test_users == ByWay(6040, 6040)
    assert sum(part.users for part in found.slices["activity"]) == 6040


@pytest.mark.slow
def test_the_held_out_item_among_its_own_negatives_is_dropped_or_counted(evaluate_ml_1m: Evaluate) -> None:
    alone = {"als": False, "item_knn": False, "ease": False, "recent_items": False}
    dropped, counted = (evaluate_ml_1m(**alone, count_positive_among_negatives=switch) for switch in (False, True))
    assert 0.4515 <= counted.systems["popularity"].sampled["HR@10"] <= 0.4525
    assert 0.2520 <= counted.systems["popularity"].sampled["NDCG@10"] <= 0.2530
    for found in (dropped, counted):
        copies = found.positive_among_negatives
        assert copies.users == 156
        assert copies.counted_in_metrics == (found is counted)
        for name, effect in copies.systems.items():
            reported = {metric: found.systems[name].sampled[metric] for metric in found.gate_metrics}
            assert reported == (effect.counted if found is counted else effect.dropped)
            assert effect.difference["NDCG@10"] < 0
