import dataclasses
import math
from collections.abc import Callable
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from components.artifacts.evaluation import Champion, ChampionStatus, Difference
from components.artifacts.vocabulary import Vocabulary, write_vocabulary
from components.evaluator.champion import Trial, compare_with_champion
from components.evaluator.config import EvaluatorConfig
from components.evaluator.slices import slicings
from components.ranking.sampled_records import SampledRecords
from components.serving.exporter import ServingModel
from components.serving.seen_items import SeenItems
from components.shared.progress import Reporter
from components.trainer.model import NeuMF

K = 3
METRICS = [f"HR@{K}", f"NDCG@{K}"]


class _Table:
    """A challenger that knows the score of every pair."""

    def __init__(self, scores: np.ndarray):
        self._scores = scores

    def score_candidates(self, users: np.ndarray, items: np.ndarray) -> np.ndarray:
        return self._scores[users[:, None], items]

    def score_all_items(self, users: np.ndarray) -> np.ndarray:
        return self._scores[users]


def compare(world: Any, scores: np.ndarray, destination: Path, **config: Any) -> Champion:
    vocabulary = Vocabulary.open(world.uri("vocabulary"))
    tested = np.flatnonzero(world.positives >= 0)
    cuts = slicings(tested, world.positives[tested], vocabulary.user_counts, vocabulary.item_counts)
    records = SampledRecords(world.uri("examples")).read()
    trial = Trial({"sampled": records}, vocabulary.user_ids, vocabulary.item_ids, vocabulary.item_counts, cuts)
    settings = EvaluatorConfig(ks=(K,), gate_k=K, **config)
    with Reporter().bar("", 1) as bar:
        return compare_with_champion(str(destination), _Table(scores), trial, settings, np.random.default_rng(0), bar)


def _expected(
    world: Any, challenger: np.ndarray, champion: np.ndarray, known_users: set[int], known_items: set[int]
) -> tuple[list[int], list[float], list[float]]:
    """By plain loops: the users that are compared, and what HR and NDCG of the challenger are above the champion's."""
    users, hits, gains = [], [], []
    for user, own in enumerate(world.positives):
        if own < 0 or user not in known_users or own not in known_items:
            continue
        drawn = zip(world.negatives[user], world.masked[user], strict=True)
        rivals = [item for item, masked in drawn if not masked and item in known_items]
        if len(rivals) < K:
            continue
        ranks = [
            1 + sum(scores[user, item] >= scores[user, own] for item in rivals) for scores in (challenger, champion)
        ]
        hit = [int(rank <= K) for rank in ranks]
        gain = [1 / math.log2(rank + 1) if rank <= K else 0.0 for rank in ranks]
        users.append(user)
        hits.append(hit[0] - hit[1])
        gains.append(gain[0] - gain[1])
    return users, hits, gains


@pytest.fixture
def text_ids() -> bool:
    return False


@pytest.fixture
def world(make_world: Callable[..., Any], text_ids: bool) -> Any:
    return make_world(text_ids=text_ids)


@pytest.mark.parametrize("text_ids", [False, True], ids=["integer ids", "text ids"])
def test_an_identical_champion_differs_in_nothing(
    world: Any, save_model: Callable[..., None], destination: Path
) -> None:
    save_model(str(destination / "17"), world.good_scores(), world)

    evidence = compare(world, world.good_scores(), destination)

    assert evidence.status is ChampionStatus.COMPARED
    assert evidence.version == "17"
    assert evidence.path == str(destination / "17")
    assert evidence.compared.shared_items == 40
    assert evidence.compared.shared_users == 123
    assert evidence.compared.challenger == evidence.compared.champion
    assert evidence.compared.differences == dict.fromkeys((*METRICS, f"MRR@{K}"), Difference(0, 0, 0))
    assert evidence.detail == "version 17, on 123 test users and 40 items that both models know"


@pytest.mark.parametrize("better", [True, False], ids=["better", "worse"])
def test_differences_are_those_of_plain_loops(
    world: Any, save_model: Callable[..., None], destination: Path, better: bool
) -> None:
    good = world.good_scores()
    poor = np.random.default_rng(8).normal(size=good.shape).astype(np.float32)
    challenger, champion = (good, poor) if better else (poor, good)
    save_model(str(destination / "1"), champion, world)

    evidence = compare(world, challenger, destination)

    users, hits, gains = _expected(world, challenger, champion, set(range(130)), set(range(40)))
    assert evidence.compared.shared_users == len(users)
    for metric, values in zip(METRICS, (hits, gains), strict=True):
        difference = evidence.compared.differences[metric]
        assert difference.mean == pytest.approx(np.mean(values))
        ahead = evidence.compared.challenger[metric] - evidence.compared.champion[metric]
        assert ahead == pytest.approx(np.mean(values))
        # The central limit theorem's one-sided bounds of the gate's confidence.
        half = NormalDist().inv_cdf(EvaluatorConfig().champion_confidence) * np.std(values) / math.sqrt(len(values))
        assert difference.low == pytest.approx(np.mean(values) - half, abs=0.015)
        assert difference.high == pytest.approx(np.mean(values) + half, abs=0.015)
    assert (evidence.compared.differences["HR@3"].low > 0) == better


def test_quartiles_and_the_one_that_lost_most(world: Any, save_model: Callable[..., None], destination: Path) -> None:
    good = world.good_scores()
    worse = good.copy()
    rare = np.flatnonzero(world.train_counts <= np.sort(world.train_counts)[10])
    worse[:, rare] -= 3  # never recommends rare items
    save_model(str(destination / "1"), good, world)

    evidence = compare(world, worse, destination)

    _, hits, _ = _expected(world, worse, good, set(range(130)), set(range(40)))
    for parts in evidence.compared.slices.values():
        assert [part.name for part in parts] == [f"quartile {number}" for number in (1, 2, 3, 4)]
        assert sum(part.users for part in parts) == evidence.compared.shared_users
        summed = sum(part.users * part.differences["HR@3"] for part in parts)
        assert summed / evidence.compared.shared_users == pytest.approx(np.mean(hits))
    worst = evidence.compared.worst_slice["HR@3"]
    assert worst.slice == "item popularity, quartile 1"
    assert worst.difference == evidence.compared.slices["item_popularity"][0].differences["HR@3"]
    assert worst.difference < evidence.compared.differences["HR@3"].mean < 0


@pytest.mark.parametrize("text_ids", [False, True], ids=["integer ids", "text ids"])
def test_a_champion_with_another_vocabulary_is_compared_on_what_both_know(world: Any, destination: Path) -> None:
    # The champion lacks some users and items, has others, and so other indexes.
    users, items = np.arange(20, 130), np.arange(0, 40, 2)
    text = world.user_ids.dtype == object
    more = ["new one", "new two"] if text else [1, 2]
    model = NeuMF(len(users) + 2, len(items) + 2, 4, (8, 6, 4), embedding_stddev=0.7, seed=4)
    vocabulary = Vocabulary(
        np.array([*more, *world.user_ids[users]]),
        np.array([*more, *world.item_ids[items]]),
        np.ones(len(users) + 2, np.int64),
        np.ones(len(items) + 2, np.int64),
    )
    ServingModel(model, vocabulary, SeenItems.nothing(130)).save(str(destination / "1"))
    champion = np.zeros((130, 40))
    champion[np.ix_(users, items)] = np.asarray(
        model(np.arange(2, len(users) + 2)[:, None], np.arange(2, len(items) + 2)[None])
    )
    challenger = world.good_scores()

    evidence = compare(world, challenger, destination, minimum_test_users=10)

    shared, hits, gains = _expected(world, challenger, champion, {*map(int, users)}, {*map(int, items)})
    assert 10 <= len(shared) < 60
    assert evidence.compared.shared_users == len(shared)
    assert evidence.compared.shared_items == 20
    assert evidence.drift is not None
    assert (evidence.drift.new_users, evidence.drift.champion_users) == (20, 112)
    assert (evidence.drift.new_items, evidence.drift.champion_items) == (20, 22)
    assert (evidence.drift.rows, evidence.drift.champion_rows) == (world.train_counts.sum(), 22)
    for metric, values in zip(METRICS, (hits, gains), strict=True):
        assert evidence.compared.differences[metric].mean == pytest.approx(np.mean(values))


def test_users_who_would_be_hits_for_certain_are_not_compared(
    world: Any, save_model: Callable[..., None], destination: Path
) -> None:
    # Knows so few items that each held-out item would be in the first three: any two models would look equal.
    vocabulary = Vocabulary(world.user_ids, world.item_ids[:3], np.ones(130, np.int64), np.ones(3, np.int64))
    ServingModel(NeuMF(130, 3, 4, ()), vocabulary, SeenItems.nothing(130)).save(str(destination / "1"))

    evidence = compare(world, world.good_scores(), destination, minimum_test_users=1)

    assert evidence.status is ChampionStatus.BROKEN
    assert "it shares 0 test users with this model, fewer than the minimum 1" in evidence.detail
    assert evidence.drift is not None  # which says why
    assert evidence.drift.new_items == 37


@pytest.mark.parametrize(
    ("fewest", "status"), [(1, "compared"), (2, "broken")], ids=["as many as asked", "fewer than asked"]
)
def test_a_single_shared_user(
    world: Any, save_model: Callable[..., None], destination: Path, fewest: int, status: str
) -> None:
    save_model(str(destination / "1"), world.good_scores(), world, known_users=1)

    evidence = compare(world, world.good_scores(), destination, minimum_test_users=fewest)

    assert evidence.status == status
    if status == "compared":
        assert evidence.compared.shared_users == 1
        assert evidence.compared.differences["HR@3"] == Difference(0, 0, 0)


def test_no_test_users(make_world: Callable[..., Any], save_model: Callable[..., None], destination: Path) -> None:
    world = make_world(users_with_test=0)
    save_model(str(destination / "1"), world.good_scores(), world)

    evidence = compare(world, world.good_scores(), destination)

    assert evidence.status is ChampionStatus.BROKEN
    assert "it shares 0 test users" in evidence.detail


@pytest.mark.parametrize("prepare", [None, Path.mkdir, lambda path: (path / "17").mkdir(parents=True)], ids=[
    "no folder", "an empty folder", "a version that is not whole",
])  # fmt: skip
def test_without_a_champion_there_is_nothing_tocompare(
    world: Any, destination: Path, prepare: Callable[[Path], None] | None
) -> None:
    if prepare:
        prepare(destination)

    evidence = compare(world, world.good_scores(), destination)

    assert evidence == Champion(ChampionStatus.NONE, "skipped: there is no champion yet to compare with")


@pytest.mark.parametrize("text_ids", [False, True], ids=["texts in the champion", "texts in this data"])
def test_a_champion_of_ids_of_another_type_is_compared_on_what_is_written_the_same(
    make_world: Callable[..., Any], destination: Path, text_ids: bool
) -> None:
    world = make_world()
    theirs = [ids if text_ids else ids.astype(str).astype(object) for ids in (world.user_ids, world.item_ids)]
    vocabulary = Vocabulary(*theirs, np.ones(130, np.int64), np.ones(40, np.int64))
    model = NeuMF(130, 40, 4, (8, 6, 4), embedding_stddev=0.7, seed=4)
    ServingModel(model, vocabulary, SeenItems.nothing(130)).save(str(destination / "1"))
    lost = set[int]()
    if text_ids:  # among the texts are ten users whom no whole number stands for
        users = world.user_ids.astype(str).astype(object)
        users[:5], users[5:10] = [f"u{user}" for user in range(5)], [f"0{user}" for user in users[5:10]]
        world = dataclasses.replace(world, user_ids=users, item_ids=world.item_ids.astype(str).astype(object))
        parts = pa.array(users), pa.array(world.item_ids)
        write_vocabulary(world.uri("vocabulary"), *parts, np.ones(130, np.int64), world.train_counts)
        lost = set(range(10))

    evidence = compare(world, world.good_scores(), destination, minimum_test_users=10)

    champion = np.asarray(model(np.arange(130)[:, None], np.arange(40)[None]))
    shared, hits, _ = _expected(world, world.good_scores(), champion, set(range(130)) - lost, set(range(40)))
    assert evidence.compared.shared_users == len(shared)
    assert evidence.compared.differences["HR@3"].mean == pytest.approx(np.mean(hits))
    there, here = ("whole numbers", "texts") if text_ids else ("texts", "whole numbers")
    told = " and ".join(f"{what} ids are {there} in the champion and {here} in this data" for what in ("user", "item"))
    assert evidence.warning == f"{told}: only those that are written the same are compared"


def test_a_challenger_that_scores_nan_loses(world: Any, save_model: Callable[..., None], destination: Path) -> None:
    save_model(str(destination / "1"), world.good_scores(), world)

    evidence = compare(world, np.full((130, 40), np.nan, np.float32), destination)

    assert evidence.compared.challenger["HR@3"] == 0
    assert evidence.compared.differences["HR@3"].high < -0.5
