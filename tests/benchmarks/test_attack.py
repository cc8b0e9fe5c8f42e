"""A few mutants of each kind and honest trainings, on small data: each is a SavedModel that the Evaluator judges."""

import functools
import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from benchmarks.attack.ground import Ground
from benchmarks.attack.judging import Court, Judged, reseed, summarise
from benchmarks.attack.mutants import ITEMS, KINDS, MEASURED, SERVED, WAYS, Made, Workshop
from benchmarks.attack.saved import read_arrays, write_with
from components.evaluator.config import EvaluatorConfig
from components.preprocess.datasets.synthetic_generator import SyntheticConfig

SIZE = SyntheticConfig(users=600, items=300, interactions=24_000)
TRAINER = {"epochs": 1, "num_factors": 8, "layers": [16, 8], "history_factors": 32}
MUCH_WORSE = dict.fromkeys(WAYS, 0.9)
OBVIOUS = {
    "nan_rows": "finite",
    "stale_vocabulary": "serving_consistent",
    "half_trained": "not_worse_than_champion_ndcg",
    "popularity": "not_worse_than_champion_ndcg",
    "worse_3_percent": "not_worse_than_champion_ndcg",
    "labels": "not_too_good",
    "other_data": None,
}


pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    root = tmp_path_factory.mktemp("attack")
    good, other = (Ground.lay(root / str(seed), SIZE, seed, TRAINER, quick=True) for seed in (0, 1))
    return Workshop(good, good.arrays(), [other], MUCH_WORSE)


@pytest.fixture(scope="module")
def court(shop: Workshop) -> Court:
    only_popularity = dict.fromkeys(("als", "item_knn", "ease", "recent_items"), False)
    return Court.sit(shop.ground, EvaluatorConfig(**only_popularity))


def _judge(court: Court, shop: Workshop, kind: str, seeds: range) -> Iterator[Judged]:
    for seed in seeds:
        yield court.judge(kind, seed, functools.partial(KINDS[kind], shop, np.random.default_rng(seed)))


@pytest.mark.parametrize("kind", OBVIOUS)
def test_mutants_that_can_be_told_on_600_users_are_refused(court: Court, shop: Workshop, kind: str) -> None:
    for judged in _judge(court, shop, kind, range(2)):
        assert not judged.pushed, judged.told
        assert OBVIOUS[kind] in (*judged.failed, None), judged.told


@pytest.mark.parametrize("names", [(MEASURED, SERVED), (SERVED,)])
@pytest.mark.parametrize("exported", [True, False])
def test_two_users_who_changed_places_are_found(
    court: Court, shop: Workshop, names: tuple[str, ...], exported: bool
) -> None:
    def mixed(folder: Path) -> Made:
        changed = {name: shop.arrays[name].copy() for name in names}
        for table in changed.values():
            table[:2] = table[1::-1]
        model = shop.write(folder, changed)
        return Made("mixed up", model, exported=shop.ground.exported if exported else None)

    assert court.judge("", 0, mixed).failed == ("rows_by_histories", *(["as_exported"] if exported else []))


@pytest.mark.parametrize("exported", [True, False])
def test_two_items_that_changed_places_are_found(court: Court, shop: Workshop, exported: bool) -> None:
    def mixed(folder: Path) -> Made:
        table = shop.arrays[ITEMS].copy()
        table[:2] = table[1::-1]
        return Made("mixed up", shop.write(folder, {ITEMS: table}), exported=shop.ground.exported if exported else None)

    assert court.judge("", 0, mixed).failed == (*(["as_exported"] if exported else []), "items_by_histories")


def test_leaks_are_found_in_the_data_and_in_the_rows(court: Court, shop: Workshop) -> None:
    found: dict[str, tuple[str, ...]] = {}
    for seed in itertools.count(4):
        (judged,) = _judge(court, shop, "leaked", range(seed, seed + 1))
        found[judged.told.rpartition(", ")[2]] = judged.failed
        if len(found) == 3:
            break
    assert "leak_free" in found["by the data"]
    assert "rows_by_histories" in found["by the training"]
    assert found["by the model alone"] == ("rows_by_histories",)


def test_an_honest_training_is_pushed(court: Court, shop: Workshop) -> None:
    judged = court.judge("", 1, functools.partial(reseed, shop.ground, 1))
    assert judged.pushed, judged.failed


def test_a_copy_differs_in_what_is_changed_alone(shop: Workshop, tmp_path: Path) -> None:
    items = shop.arrays[ITEMS] + 1
    written = read_arrays(write_with(shop.ground.model, tmp_path / "copy", {ITEMS: items}))
    assert np.array_equal(written[ITEMS], items)
    assert np.array_equal(written[MEASURED], shop.arrays[MEASURED])
    with pytest.raises(ValueError, match=r"_item_rows has the shape \(2, 2\)"):
        write_with(shop.ground.model, tmp_path / "other", {ITEMS: np.zeros((2, 2))})


def test_the_table_counts_what_was_pushed_and_names_the_first_rule() -> None:
    judged = [
        Judged("leaked", "", (), 0.3, 1.0),
        Judged("leaked", "", ("not_worse_than_champion_ndcg",), 0.2, 3.0),
        Judged("labels", "", ("not_too_good", "finite"), 1.0, 2.0),
        Judged("", "seed 1", (), 0.2, 5.0),
        Judged("", "seed 2", ("finite",), 0.2, 5.0),
    ]
    found = {result.name: result for result in summarise(judged)}
    assert (found["mutants_pushed"].value, found["mutants_pushed"].ok) == (1, False)
    assert found["mutants_pushed_leaked"].unit == "of 2; without a champion 2; by not_worse_than_champion_ndcg 1"
    assert found["mutants_pushed_labels"].unit == "of 1; without a champion 0; by not_too_good 1"
    assert (found["reseeds_pushed_share"].value, found["reseeds_pushed_share"].ok) == (0.5, False)
    assert found["seconds_per_mutant"].value == 2
