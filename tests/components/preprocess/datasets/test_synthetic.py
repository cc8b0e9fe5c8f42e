import time
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from components.preprocess.datasets import synthetic_generator as synthetic
from components.preprocess.datasets import synthetic_loops
from components.preprocess.datasets.synthetic_generator import Interactions, SyntheticConfig
from components.shared.errors import UserError

DEMO = SyntheticConfig(users=2_000, items=1_000, interactions=150_000)
SMALL = SyntheticConfig(users=300, items=120, interactions=9_000)


def generate(config: SyntheticConfig, seed: int = 0) -> Interactions:
    parts = [synthetic.generate_block(config, seed, block) for block in synthetic.blocks(config, seed)]
    return Interactions(*map(np.concatenate, zip(*parts, strict=True)))


@pytest.fixture(scope="module")
def demo() -> Interactions:
    return generate(DEMO)


def item_counts(rows: Interactions, config: SyntheticConfig, seed: int = 0) -> np.ndarray:
    return np.bincount(np.searchsorted(synthetic.raw_ids(config, seed)[1], rows.item), minlength=config.items)


def test_types_and_sizes(demo: Interactions) -> None:
    assert [column.dtype for column in demo] == [np.int64, np.int64, np.int64, np.float32]
    assert {len(column) for column in demo} == {DEMO.interactions}
    assert len(np.unique(np.stack(demo[:2]), axis=1).T) == DEMO.interactions


@pytest.mark.parametrize(
    ("users", "items", "interactions"),
    [(2, 2, 2), (7, 50, 13), (7, 50, 7 * 25), (300, 120, 300), (300, 121, 17_999), (1, 90, 31), (40, 3_000, 40_001)],
)
def test_every_size_is_exact(users: int, items: int, interactions: int) -> None:
    config = SyntheticConfig(users, items, interactions)
    rows = generate(config)
    assert len(rows.user) == interactions
    assert len(np.unique(rows.user)) == users
    assert len(set(zip(rows.user.tolist(), rows.item.tolist(), strict=True))) == interactions
    assert np.isin(rows.item, synthetic.raw_ids(config, 0)[1]).all()
    assert np.unique(rows.user, return_counts=True)[1].max() <= max(items // 2, 1)


@pytest.mark.parametrize("interactions", [1_999, 2_000 * 500 + 1])
def test_impossible_sizes(interactions: int) -> None:
    with pytest.raises(UserError, match=r"dataset\.synthetic_interactions: \d+ does not fit .* choose 2000 to 1000000"):
        SyntheticConfig(2_000, 1_000, interactions)


def test_raw_ids_increase_with_gaps(demo: Interactions) -> None:
    users, items = synthetic.raw_ids(DEMO, 0)
    for ids, size in ((users, DEMO.users), (items, DEMO.items)):
        gaps = np.diff(ids)
        assert len(ids) == size
        assert gaps.min() == 1
        assert gaps.max() > 3
    np.testing.assert_array_equal(np.unique(demo.user), users)
    assert (np.diff(demo.user) >= 0).all()


def test_draws_are_in_the_order_of_time(demo: Interactions) -> None:
    same_user = np.diff(demo.user) == 0
    assert (np.diff(demo.timestamp)[same_user] > 0).all()
    assert pd.to_datetime(demo.timestamp.min(), unit="s").year >= 1996
    assert pd.to_datetime(demo.timestamp.max(), unit="s").year < 2020


def test_ratings_are_half_stars(demo: Interactions) -> None:
    np.testing.assert_array_equal(np.unique(demo.rating), np.arange(1, 11) / 2)
    assert 3.0 < demo.rating.mean() < 4.0


def test_skews(demo: Interactions) -> None:
    popularity = np.sort(item_counts(demo, DEMO))[::-1]
    assert popularity[:100].sum() > 0.28 * DEMO.interactions
    assert popularity[500:].sum() < 0.25 * DEMO.interactions
    activity = np.unique(demo.user, return_counts=True)[1]
    assert activity.min() >= 20
    assert activity.max() > 6 * np.median(activity)
    # Popularity does not go by the id.
    assert abs(stats.spearmanr(np.arange(DEMO.items), item_counts(demo, DEMO)).statistic) < 0.15


def test_seeds() -> None:
    for one, same, other in zip(generate(SMALL, 5), generate(SMALL, 5), generate(SMALL, 6), strict=True):
        np.testing.assert_array_equal(one, same)
        assert not np.array_equal(one, other)


def test_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = generate(SMALL)
    assert synthetic.blocks(SMALL, 0) == [0]
    monkeypatch.setattr(synthetic, "ROWS_PER_BLOCK", 700)
    synthetic._plan.cache_clear()
    try:
        blocks = synthetic.blocks(SMALL, 0)
        assert len(blocks) == 13
        with ThreadPoolExecutor(3) as pool:
            parts = list(pool.map(lambda block: synthetic.generate_block(SMALL, 0, block), blocks[::-1]))[::-1]
    finally:
        synthetic._plan.cache_clear()
    assert max(len(part.user) for part in parts) < 800
    for column, pieces in zip(whole, zip(*parts, strict=True), strict=True):
        np.testing.assert_array_equal(column, np.concatenate(pieces))


def test_planted_probabilities_are_what_is_drawn() -> None:
    config = SyntheticConfig(users=60_000, items=200, interactions=60_000)
    first_draws = item_counts(generate(config), config)
    planted = synthetic.planted_probabilities(config, 0, np.arange(config.users))
    np.testing.assert_allclose(planted.sum(axis=1), 1)
    assert stats.chisquare(first_draws, planted.sum(axis=0)).pvalue > 0.001
    # Within a user: the mean planted chance of what was drawn, against its expectation.
    items = np.searchsorted(synthetic.raw_ids(config, 0)[1], generate(config).item)
    drawn = planted[np.arange(config.users), items]
    expected = (planted**2).sum(axis=1)
    spread = np.sqrt(((planted**3).sum(axis=1) - expected**2).sum())
    assert abs(drawn.sum() - expected.sum()) < 4 * spread


@pytest.mark.parametrize(
    "phi",
    [
        pytest.param([[0.4, 0.3, 0.2, 0.1], [0.1, 0.1, 0.1, 0.7]], id="rejection"),
        pytest.param([[0.9, 0.06, 0.03, 0.01], [0.8, 0.1, 0.05, 0.05]], id="mostly the race"),
    ],
)
def test_sequences_have_the_distribution_of_draws_without_replacement(phi: list[list[float]]) -> None:
    users, groups = 20_000, np.array(phi)
    theta = np.array([0.3, 0.7])
    keep, alias = synthetic_loops.alias_tables(groups)
    drawn = synthetic_loops.draw(
        np.uint64(3), np.arange(users), np.full(users, 4), np.tile(theta, (users, 1)), groups, keep, alias
    ).reshape(users, 4)
    chance = theta @ groups
    orders = list(permutations(range(4)))
    expected = [
        np.prod([chance[order[place]] / sum(chance[item] for item in order[place:]) for place in range(4)])
        for order in orders
    ]
    codes = drawn @ [64, 16, 4, 1]
    observed = [np.sum(codes == np.dot(order, [64, 16, 4, 1])) for order in orders]
    assert sum(observed) == users
    assert stats.chisquare(observed, np.array(expected) * users).pvalue > 0.001


def test_alias_tables_hold_the_distribution() -> None:
    phi = np.random.default_rng(0).dirichlet(np.full(500, 0.1), 3)
    keep, alias = synthetic_loops.alias_tables(phi)
    for group in range(3):
        held = keep[group] + np.bincount(alias[group], 1 - keep[group], minlength=500)
        np.testing.assert_allclose(held / 500, phi[group], atol=1e-15)


@pytest.mark.parametrize("num_negatives", [20, 99])
def test_best_possible_hr_agrees_with_a_simulation(num_negatives: int) -> None:
    # With 99 negatives, users with more than 21 items have fewer untouched ones than that.
    rows = generate(SMALL)
    user_ids, item_ids = synthetic.raw_ids(SMALL, 0)
    planted = synthetic.planted_probabilities(SMALL, 0, np.arange(SMALL.users))
    random = np.random.default_rng(1)
    hits = []
    for user, raw in enumerate(user_ids):
        touched = np.searchsorted(item_ids, rows.item[rows.user == raw])
        untouched = np.setdiff1d(np.arange(SMALL.items), touched)
        for _ in range(30):
            negatives = random.permutation(untouched)[:num_negatives]
            hits.append(np.sum(planted[user, negatives] >= planted[user, touched[-1]]) < 5)
    best = synthetic.best_possible_hr(SMALL, 0, k=5, num_negatives=num_negatives)
    assert best == pytest.approx(np.mean(hits), abs=0.012)


def test_ties_and_the_closed_form() -> None:
    drawn, counts = np.array([3, 0], np.int32), np.array([2])
    tied = np.ones((1, 6))
    # Four untouched items, all tied with the last one: never first, always among the first five.
    assert synthetic_loops.last_item_hits(drawn, counts, tied, 1, 2) == 0
    assert synthetic_loops.last_item_hits(drawn, counts, tied, 5, 4) == pytest.approx(1)
    one_better = np.array([[0.5, 0.9, 0.1, 0.8, 0.1, 0.1]])
    # It is first when the only better untouched item is not among 2 of 4.
    assert synthetic_loops.last_item_hits(drawn, counts, one_better, 1, 2) == pytest.approx(0.5)


def test_best_ranking_clearly_beats_popularity(demo: Interactions) -> None:
    best = synthetic.best_possible_hr(DEMO, 0)
    items = np.searchsorted(synthetic.raw_ids(DEMO, 0)[1], demo.item).astype(np.int32)
    counts = np.unique(demo.user, return_counts=True)[1]
    popularity = np.broadcast_to(item_counts(demo, DEMO).astype(float), (DEMO.users, DEMO.items))
    popular = synthetic_loops.last_item_hits(items, counts, popularity, 10, 99).mean()
    assert 0.2 < popular < 0.3
    assert 0.7 < best < 0.85


def test_best_possible_hr_on_some_of_the_users() -> None:
    every = synthetic.best_possible_hr(DEMO, 0)
    some = synthetic.best_possible_hr(DEMO, 0, max_users=500)
    assert some != every
    assert some == pytest.approx(every, abs=0.06)


def test_csv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "ratings.csv"
    rows = generate(SMALL)
    monkeypatch.setattr(synthetic, "ROWS_PER_BLOCK", 700)
    synthetic._plan.cache_clear()
    synthetic.write_csv(str(path), SMALL, 0)
    synthetic._plan.cache_clear()
    text = path.read_text()
    assert text.startswith("userId,movieId,rating,timestamp\n")
    first = text.splitlines()[1].split(",")
    assert len(first[2]) == 3
    assert first[2][1] == "."
    expected = pd.DataFrame(rows._asdict()).sort_values(["user", "item"], ignore_index=True)
    expected = expected[["user", "item", "rating", "timestamp"]]
    written = pd.read_csv(path)
    np.testing.assert_array_equal(written.to_numpy(), expected.to_numpy())


def test_speed() -> None:
    config = SyntheticConfig(users=10_000, items=5_000, interactions=1_000_000)
    generate(SMALL)  # compiles
    start = time.process_time()
    generate(config)
    # It takes 0.3 s on one core.
    assert time.process_time() - start < 3
