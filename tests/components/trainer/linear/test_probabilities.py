import numpy as np
import pytest
from scipy.special import expit

from components.serving.saved.probabilities import Probabilities
from components.trainer.linear.full_ranking import Sample
from components.trainer.linear.probabilities import fit_probabilities

USERS, ITEMS, NEGATIVES = 4000, 50, 3


def world(separation: float = 1.5) -> tuple[Sample, np.ndarray]:
    """Users of validation, and scores of which held-out items have higher ones; all have seen the first item."""
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(USERS, ITEMS)).astype(np.float32)
    items = rng.integers(1, ITEMS, USERS, dtype=np.int32)
    scores[np.arange(USERS), items] += separation
    scores[:, 0] = -np.inf
    return Sample(np.arange(USERS, dtype=np.int32), items, (np.arange(USERS), np.zeros(USERS, np.int32))), scores


def fit(scores: np.ndarray, sample: Sample) -> Probabilities:
    return fit_probabilities(sample, scores, NEGATIVES, np.random.default_rng(1))


def test_of_so_many_items_as_are_told_so_many_are_the_held_out_ones() -> None:
    sample, scores = world()
    found = fit(scores, sample)
    # Of two normal distributions, s apart, the log of the odds is s * x - s^2 / 2 - log(negatives).
    assert found.slope == pytest.approx(1.5, rel=0.05)
    assert found.offset == pytest.approx(-(1.5**2) / 2 - np.log(NEGATIVES), abs=0.05)
    told = expit(found.slope * scores + found.offset)
    own = told[np.arange(USERS), sample.items]
    expected = own.sum() + (told.sum() - own.sum()) * NEGATIVES / (ITEMS - 2)
    assert expected == pytest.approx(USERS, rel=0.02)


def test_the_scale_of_the_scores_does_not_matter() -> None:
    sample, scores = world()
    one, other = fit(scores, sample), fit(scores * np.float32(1e-4) + np.float32(7), sample)
    assert other.slope * 1e-4 == pytest.approx(one.slope, rel=1e-2)
    assert other.offset + 7 * other.slope == pytest.approx(one.offset, abs=0.05)


@pytest.mark.parametrize("separation", [-3.0, 40.0])
def test_the_order_stays_whatever_the_scores_are_worth(separation: float) -> None:
    sample, scores = world(separation)
    found = fit(scores, sample)
    assert found.slope > 0
    assert np.isfinite([found.slope, found.offset]).all()


def test_where_there_is_nothing_to_fit_logits_are_logits() -> None:
    sample, scores = world()
    for flat in (np.zeros_like(scores), np.full_like(scores, np.nan)):
        assert fit(flat, sample) == Probabilities(1.0, 0.0, NEGATIVES)
