"""The start from ALS as it is before any epoch: which settings it takes, and how it ranks on validation."""

from collections.abc import Sequence

from components.artifacts.model_run import K
from components.shared import progress, random_streams
from components.shared.als import Als, AlsSettings, fit_als
from components.trainer.history import chosen_metric
from components.trainer.linear.full_ranking import PAIRS_OF_SOME, Sample, Scores
from components.trainer.linear.histories import Histories
from components.trainer.settings import Settings


def choose_start(tried: Sequence[Settings], histories: Histories, seed: int) -> Settings:
    """Those of some settings whose ALS alone ranks best on validation; the first, where nobody is there to ask.

    Args:
      tried: differ in the settings of ALS.
      histories: what users did.
      seed: of the run; draws the users of validation.
    """
    first, *others = tried
    if not (others and len(histories.validation.users)):
        return first
    sample = Sample.draw(histories, seed, PAIRS_OF_SOME)
    metric = chosen_metric(first)

    def value(settings: Settings) -> float:
        als = _fit(settings, histories, seed)
        return sample.metrics(lambda block: _scores(als, sample, block), K)[metric]

    return max(tried, key=value)


def scores_of_start(settings: Settings, histories: Histories, sample: Sample, seed: int) -> Scores:
    """How the start scores all items for the sample, float32 [users, items], -inf for what was seen.

    Args:
      settings: of ALS among others.
      histories: what users did.
      sample: the users of validation.
      seed: of the run.
    """
    return _scores(_fit(settings, histories, seed), sample)


def _fit(settings: Settings, histories: Histories, seed: int) -> Als:
    fitted = AlsSettings(
        settings.num_factors, settings.als_iterations, settings.als_regularization, settings.als_unobserved_weight
    )
    key = random_streams.stream_key(seed, "pretraining")
    with progress.bar("ALS, on validation", settings.als_iterations) as bar:
        return fit_als(*histories.train, (histories.users, histories.items), fitted, key, bar)


def _scores(als: Als, sample: Sample, block: slice = slice(None)) -> Scores:
    return sample.without_seen(als.score_all_items(sample.users[block]), block)
