import numpy as np
import pytest
from scipy.special import expit

from components.trainer.linear.full_ranking import Sample
from components.trainer.linear.probabilities import fit_probabilities

USERS, ITEMS = 4000, 50


def world(separation: float = 1.5) -> tuple[Sample, np.ndarray]:
    """Users of validation, and scores of which held-out items have higher ones; all have seen the first item."""
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(USERS, ITEMS)).astype(np.float32)
    items = rng.integers(1, ITEMS, USERS, dtype=np.int32)
    scores[np.arange(USERS), items] += separation
    scores[:, 0] = -np.inf
    return Sample(np.arange(USERS, dtype=np.int32), items, (np.arange(USERS), np.zeros(USERS, np.int32))), scores


def told_and_found(sample: Sample, scores: np.ndarray, k: int = 10) -> tuple[float, int]:
    """What the probabilities of each user's best items add up to, and how many held-out items are among them."""
    found = fit_probabilities(sample, scores)
    assert found is not None
    best = np.argsort(-scores, axis=1)[:, :k]
    told = expit(found.slope * np.take_along_axis(scores, best, axis=1) + found.offset)
    return float(told.sum()), int((best == sample.items[:, None]).sum())


def test_probabilities_of_lists_add_up_to_how_often_the_held_out_item_is_there() -> None:
    sample, scores = world()
    told, found = told_and_found(sample, scores)
    assert told == pytest.approx(found, rel=1e-3)
    assert found > USERS / 4
    # A higher place is worth more, by about as much as there are more held-out items: a tenth of them would be 184.
    first, found_first = told_and_found(sample, scores, k=1)
    assert first == pytest.approx(found_first, rel=0.2)


def test_each_user_counts_however_few_there_are_in_a_block() -> None:
    sample, scores = world()
    few = Sample(sample.users[:200], sample.items[:200], (np.arange(200), np.zeros(200, np.int32)))
    told, found = told_and_found(few, scores[:200])
    assert told == pytest.approx(found, rel=1e-2)


def test_the_scale_of_the_scores_does_not_matter() -> None:
    sample, scores = world()
    one, other = fit_probabilities(sample, scores), fit_probabilities(sample, scores * np.float32(1e-4) + np.float32(7))
    assert one is not None
    assert other is not None
    assert other.slope * 1e-4 == pytest.approx(one.slope, rel=1e-2)
    assert other.offset + 7 * other.slope == pytest.approx(one.offset, abs=0.05)


@pytest.mark.parametrize("separation", [-3.0, 40.0])
def test_the_order_stays_whatever_the_scores_are_worth(separation: float) -> None:
    sample, scores = world(separation)
    found = fit_probabilities(sample, scores)
    assert found is not None
    assert found.slope > 0
    assert np.isfinite([found.slope, found.offset]).all()


def test_where_logits_tell_nothing_there_is_nothing_to_fit() -> None:
    sample, scores = world()
    for flat in (np.zeros_like(scores), np.full_like(scores, np.nan)):
        assert fit_probabilities(sample, flat) is None
