"""Ranks of a sample's held-out items, against sorting and against sums written out."""

import functools
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from components.artifacts.interactions import Pairs
from components.trainer.linear import full_ranking
from components.trainer.linear.factors import Factors
from components.trainer.linear.full_ranking import Sample
from components.trainer.linear.histories import Histories
from components.trainer.linear.towers import Tower, _best, _climb, _Judged, _values_of_ranks, halves
from components.trainer.linear.weighing import Weighing, deviation, scaled

USERS, ITEMS = 300, 40


def histories() -> Histories:
    random = np.random.default_rng(1)
    items = np.stack([random.permutation(ITEMS)[:6] for _ in range(USERS)]).astype(np.int32)
    users = np.arange(USERS, dtype=np.int32)
    nothing = Pairs(users[:0], users[:0])
    train = Pairs(np.repeat(users, 5), items[:, :5].ravel())
    return Histories(USERS, ITEMS, train, Pairs(users, items[:, 5]), nothing, in_order=True)


def sample() -> Sample:
    return Sample.draw(histories(), 0)


def scores(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((USERS, ITEMS)).astype(np.float32)


def expected_ranks(drawn: Sample, total: np.ndarray) -> np.ndarray:
    """By sorting each user's unseen items, worst place among equals."""
    ranks = []
    for row, item in enumerate(drawn.items):
        unseen = np.setdiff1d(np.arange(ITEMS), drawn.seen[1][drawn.seen[0] == row])
        ranks.append(int((np.sort(total[row, unseen])[::-1] >= total[row, item]).sum()))
    return np.array(ranks)


def test_ranks_are_those_of_sorting_whatever_the_weight() -> None:
    drawn = sample()
    base, part = (drawn.without_seen(np.round(scores(seed), 1)) for seed in (2, 3))
    weights = [0.0, 0.5, 2.0]
    found = np.concatenate(
        drawn.each_block(lambda block: drawn.ranks(block, base[block], part[block], weights)), axis=1
    )
    for weight, ranks in zip(weights, found, strict=True):
        total = base + np.float32(weight) * part if weight else base
        np.testing.assert_array_equal(ranks, expected_ranks(drawn, total))


def test_a_held_out_item_without_a_number_comes_last() -> None:
    drawn = sample()
    base = scores(4)
    base[np.arange(USERS), drawn.items] = np.nan
    ranks = drawn.ranks(slice(None), base, base, [0.0])[0]
    np.testing.assert_array_equal(ranks, ITEMS)


def test_what_was_seen_is_masked_by_block_as_at_once() -> None:
    drawn, whole = sample(), scores(5)
    blocks = drawn.each_block(lambda block: drawn.without_seen(whole[block].copy(), block))
    np.testing.assert_array_equal(np.concatenate(blocks), drawn.without_seen(whole.copy()))


def test_a_sample_has_no_more_pairs_than_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(full_ranking, "_LEAST_USERS", 10)
    drawn = Sample.draw(histories(), 0, pairs=50 * ITEMS)
    assert len(drawn.users) == len(drawn.items) == 50
    assert (np.diff(drawn.users) > 0).all()


def test_who_is_drawn_goes_by_raw_ids_whatever_the_indexes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(full_ranking, "_LEAST_USERS", 10)
    ids = np.random.default_rng(3).permutation(USERS)
    found = [
        Sample.draw(replace(histories(), user_ids=each), seed, pairs=50 * ITEMS).users
        for each, seed in ((ids, 0), (ids[::-1], 0), (ids, 1))
    ]
    assert set(ids[found[0]]) == set(ids[::-1][found[1]])
    assert set(ids[found[0]]) != set(ids[found[2]])


def test_a_weight_is_the_best_of_those_tried_one_by_one() -> None:
    drawn = sample()
    parts = {name: drawn.without_seen(scores(seed)) for name, seed in (("one", 6), ("other", 7))}
    parts["one"][np.arange(USERS), drawn.items] += 1
    weighing = Weighing(drawn, parts, "NDCG@10")
    weights = (0.0, 0.125, 0.25, 0.5, 1.0, 2.0, 4.0)
    by_one = [weighing.value({"one": 1.0, "other": weight}) for weight in weights]
    assert weighing.values("other", weights, {"one": 1.0}) == pytest.approx(by_one)
    assert weighing.best_of("other", {"one": 1.0})["other"] == weights[int(np.argmax(by_one))]


def test_a_part_that_helps_by_chance_alone_is_left_out() -> None:
    drawn = sample()
    parts = {name: drawn.without_seen(scores(seed)) for name, seed in (("one", 6), ("other", 7), ("noise", 8))}
    for name in ("one", "other"):
        parts[name][np.arange(USERS), drawn.items] += 1
    weighing = Weighing(drawn, parts, "NDCG@10")
    together = {"one": 0.5, "other": 0.25, "noise": 0.01}
    assert weighing.without_idle(together) == {"one": 1.0, "other": 0.5, "noise": 0.0}
    assert weighing.without_idle({"one": 0.0, "other": 0.0, "noise": 1.0})["noise"] == 1.0


def test_of_two_parts_that_are_the_same_one_is_left_out() -> None:
    drawn = sample()
    good = drawn.without_seen(scores(6))
    weighing = Weighing(drawn, {"good": good, "again": good}, "HR@10")
    assert sorted(weighing.without_idle({"good": 1.0, "again": 1.0}).values()) == [0.0, 1.0]


def test_each_rank_of_a_tower_is_judged_as_if_it_were_cut_to_it() -> None:
    found, drawn = histories(), sample()
    random = np.random.default_rng(8)
    tower = Tower(Factors(*(random.standard_normal((ITEMS, 128)).astype(np.float32) for _ in range(2))))
    values = _values_of_ranks(tower, [None], found, drawn, "NDCG@10")
    assert list(values) == halves(128) == [32, 64, 128]
    for rank, value in values.items():
        alone = tower.cut(rank).users(found, drawn.users) @ tower.cut(rank).factors.scored.T
        weighing = Weighing(drawn, {"alone": drawn.without_seen(alone)}, "NDCG@10")
        assert value.mean() == pytest.approx(weighing.value({"alone": 1.0}), abs=0.01)


def test_a_tower_is_worth_what_it_is_beside_the_best_of_what_is_there() -> None:
    found, drawn = histories(), sample()
    random = np.random.default_rng(8)
    tower = Tower(Factors(*(random.standard_normal((ITEMS, 32)).astype(np.float32) for _ in range(2))))
    good = drawn.without_seen(scores(11))
    good[np.arange(USERS), drawn.items] += 1
    part, _ = scaled(drawn.without_seen(tower.users(found, drawn.users) @ tower.factors.scored.T))
    weighing = Weighing(drawn, {"good": good, "part": part}, "NDCG@10")
    alone = weighing.value({"part": 1.0})
    beside = max(weighing.value({"good": 1.0, "part": weight}) for weight in (0.5, 1.0, 2.0))
    assert beside > 1.5 * alone
    for befores, value in (([None], alone), ([good], beside), ([None, good], beside)):
        (judged,) = _values_of_ranks(tower, befores, found, drawn, "NDCG@10").values()
        assert judged.mean() == pytest.approx(value, abs=0.01)


@pytest.mark.parametrize(("strength", "width"), [(0.0, 64), (1e-4, 64), (10.0, 32)])
def test_a_tower_is_as_wide_as_it_is_about_as_good(strength: float, width: int) -> None:
    found, drawn = histories(), sample()
    random = np.random.default_rng(8)
    read, noise = (random.standard_normal((ITEMS, 32)).astype(np.float32) for _ in range(2))
    held_out = np.zeros((USERS, ITEMS), np.float32)
    held_out[np.arange(USERS), drawn.items] = 1
    scored = np.linalg.lstsq(found.seen @ read, held_out, rcond=None)[0].T  # 32 factors that know something
    tower = Tower(Factors(np.hstack([read, noise]), np.hstack([scored, strength * noise])))
    assert _best([[lambda: tower]], [None], found, drawn, "NDCG@10").factors.width == width


@pytest.mark.parametrize(
    ("worths", "best", "tried"),
    [
        ([1, 2, 3, 9, 4, 3, 2], 3, [3, 4, 2]),
        ([1, 2, 3, 4, 5, 9, 2], 5, [3, 4, 5, 6]),
        ([9, 8, 7, 4, 3, 2, 1], 0, [3, 4, 2, 1, 0]),
        ([1, 5, 5, 5], 2, [2, 3, 1]),
        ([7], 0, [0]),
    ],
)
def test_dampings_are_tried_from_the_middle_on_as_long_as_they_help(
    worths: list[int], best: int, tried: list[int]
) -> None:
    towers = [Tower(Factors(*np.full((2, 1, 1), n, np.float32))) for n in range(len(worths))]
    asked: list[int] = []

    def judge(make: Callable[[], Tower]) -> _Judged:
        tower = make()
        asked.append(int(tower.factors.read[0, 0]))
        return _Judged(tower, {32: np.array([0.0]), 64: np.array([float(worths[asked[-1]])])})

    found = _climb([functools.partial(towers.__getitem__, n) for n in range(len(worths))], judge)
    assert (found.tower, asked) == (towers[best], tried)


def test_scores_get_one_unit_and_what_was_seen_has_no_part_in_it() -> None:
    drawn, whole = sample(), 3 * scores(9)
    unit, scale = scaled(drawn.without_seen(whole.copy()))
    assert deviation(unit) == pytest.approx(1, rel=1e-5)
    kept = np.isfinite(unit)
    np.testing.assert_allclose(unit[kept], (whole * np.float32(scale))[kept])
    assert deviation(np.zeros((3, 4), np.float32)) == 1


def test_some_of_the_users_keep_what_they_have_seen() -> None:
    drawn, whole = sample(), scores(10)
    some = drawn.every(7)
    assert len(some.users) == len(some.items) == -(-USERS // 7)
    np.testing.assert_array_equal(some.without_seen(whole[::7].copy()), drawn.without_seen(whole.copy())[::7])
