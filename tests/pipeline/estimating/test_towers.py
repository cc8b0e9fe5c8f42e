from dataclasses import replace

import pytest

from components.trainer.config import TrainerConfig
from components.trainer.settings import Counts as TrainerCounts
from components.trainer.settings import settle
from pipeline.estimating import towers
from pipeline.estimating.counts import Counts
from pipeline.estimating.towers import Towers

SPARSE = Counts(250_000, 24_000, 10_700, 200_000, 24_000, 24_000, in_order=True)


def towers_of(counts: Counts, **trainer: object) -> Towers:
    of_trainer = TrainerCounts(
        counts.users, counts.items, counts.train, counts.in_order, 1024, validation=counts.validation
    )
    return Towers(counts, settle(TrainerConfig(**trainer), of_trainer))


def test_what_is_counted_is_what_the_trainer_does():
    from components.trainer.linear import decomposition, factors, full_ranking
    from components.trainer.linear import towers as found

    assert full_ranking._PAIRS == towers.PAIRS_OF_VALIDATION
    assert full_ranking._LEAST_USERS == towers._LEAST_USERS
    assert decomposition._ITERATIONS == towers._ITERATIONS
    assert decomposition._MORE == towers._MORE
    assert decomposition._EXACT_TIMES_WIDTH == towers._EXACT_TIMES_WIDTH
    assert factors._UNDIVIDED_WIDTH == towers._UNDIVIDED_WIDTH
    assert factors.PLACES == towers._PLACES
    assert len(factors.RECENT_FORMS) == towers._RECENT_FORMS
    assert len(found._BESIDE) == towers._WEIGHTS_BESIDE
    divided = sum(form.power > 0 for form in factors.HISTORY_FORMS)
    assert 3 <= towers._CANDIDATES["divided"] <= divided
    assert 3 <= towers._CANDIDATES["undivided"] <= len(factors.HISTORY_FORMS) - divided
    assert len(factors.RECENT_FORMS) * len(found._DECAYS) == towers._CANDIDATES["recent"]
    for width in (20, 63, 64, 200, 3072):
        assert towers._ranks(width) == len(found.halves(width))


def test_where_the_shorter_side_is_short_the_decomposition_is_exact():
    exact = replace(SPARSE, items=6_000)
    assert towers_of(exact, recent_items=0).decomposed == pytest.approx(20 * 6_000**3, rel=0.2)  # found, and again
    assert towers_of(SPARSE).decomposed < towers_of(exact).decomposed


def test_the_slower_of_the_two_towers_is_waited_for():
    both, history, recent = (
        towers_of(SPARSE, **trainer).decomposed for trainer in ({}, {"recent_items": 0}, {"history_factors": 0})
    )
    assert both == pytest.approx(max(history, recent), rel=0.2)
    assert both >= max(history, recent)
    assert towers_of(SPARSE, recent_items=0, history_factors=0).decomposed == 0


def test_candidates_are_ranked_at_each_width_and_weight_beside_what_is_there():
    found = towers_of(SPARSE, pretraining="none", recent_items=0)
    assert found.widths == {"history": 2048}
    assert found.pairs == (1 << 26) // 10_700 * 10_700
    assert found.ranked == found.pairs * (4 * 7 + 3 * 5)
    assert found.scored == found.pairs * 2 * (4 * 2048 + 3 * 512)
    assert towers_of(SPARSE, recent_items=0).ranked == 4 * found.ranked
    many = replace(SPARSE, train=2_000_000)  # ALS is not fitted for that
    assert towers_of(many, recent_items=0).ranked == towers_of(many, recent_items=0, pretraining="none").ranked


def test_without_validation_there_are_none():
    found = towers_of(replace(SPARSE, validation=0))
    assert (found.widths, found.decomposed, found.ranked) == ({}, 0, 0)
