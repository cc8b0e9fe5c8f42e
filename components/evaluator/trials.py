"""What models and baselines are tried on: the test users, with what each is ranked against."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from components.artifacts.interactions import Interactions
from components.artifacts.vocabulary import Vocabulary
from components.evaluator import inputs
from components.evaluator.baselines import Training
from components.evaluator.config import EvaluatorConfig
from components.ranking.ranks import FullRanking, Holdouts, SampledRanking, rank_all_items, rank_candidates
from components.ranking.sampled_records import SampledRecords
from components.serving.contract import RECOMMEND_FOR_ITEMS, SIGNATURES
from components.serving.loader import ServedModel
from components.shared import progress, random_streams
from components.shared.scorer import Scorer


@dataclass(frozen=True)
class Sources:
    """What is evaluated.

    Attributes:
      model: the folder of the SavedModel.
      examples: the URI of the artifact.
      interactions: likewise.
      vocabulary: likewise.
      push_destination: the folder that is pushed to, where the champion is; None: there is none.
      learnt_validation: whether the model learnt from the validation items in the end; then baselines do so too.
      exported: digests of the arrays that were exported, by their names; None: nobody told.
    """

    model: str
    examples: str
    interactions: str
    vocabulary: str
    push_destination: str | None = None
    learnt_validation: bool = False
    exported: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Trials:
    """The data that models and baselines are tried on.

    Attributes:
      interactions: what users did.
      vocabulary: raw ids and counts of users and items.
      records: the candidates that were drawn for each test user.
      holdouts: the users who are ranked among all items, and what they have seen.
      users_per_block: how many of them are scored at once.
      gate_k: how many of each user's best items are kept.
      seed: of the run.
    """

    interactions: Interactions
    vocabulary: Vocabulary
    records: SampledRecords
    holdouts: Holdouts
    users_per_block: int
    gate_k: int
    seed: int

    @classmethod
    def open(cls, sources: Sources, config: EvaluatorConfig, seed: int) -> Self:
        """Reads what is evaluated; `seed` draws the users where the configuration wants some of them.

        Raises:
          UserError: an artifact is not whole.
        """
        interactions, vocabulary = Interactions(sources.interactions), Vocabulary.open(sources.vocabulary)
        draw = None
        if config.full_ranking_users is not None:
            key = random_streams.stream_key(seed, "full ranking users")
            draw = inputs.Draw(config.full_ranking_users, vocabulary.user_ids, key)
        users, items = len(vocabulary.user_ids), len(vocabulary.item_ids)
        users_per_block = max(1, min(config.pairs_per_block // items, users))
        return cls(
            interactions,
            vocabulary,
            SampledRecords(sources.examples, users_per_block),
            inputs.read_holdouts(interactions, draw),
            users_per_block,
            config.gate_k,
            seed,
        )

    @property
    def training(self) -> Training:
        """What baselines are fitted to."""
        return Training(
            users=len(self.vocabulary.user_ids),
            item_counts=self.vocabulary.item_counts,
            read=functools.partial(self.interactions.split, "train"),
            read_validation=functools.partial(self.interactions.split, "validation"),
            by_time=self.interactions.summary.latest_held_out,
            seed=self.seed,
        )

    def load(self, model: str) -> ServedModel:
        """Loads the SavedModel in a folder."""
        asked_by_items = [RECOMMEND_FOR_ITEMS] if self.interactions.summary.held_out_users else []
        return ServedModel(model, len(self.vocabulary.item_ids), [*SIGNATURES, *asked_by_items])

    def rank(self, name: str, scorer: Scorer) -> tuple[SampledRanking, FullRanking]:
        """Ranks the test users with a scorer, whose name the bars show."""
        with progress.bar(f"{name}: sampled ranking", self.records.batches) as bar:
            sampled = rank_candidates(scorer, self.records.read(), bar)
        with progress.bar(f"{name}: full ranking", len(self.holdouts.users)) as bar:
            full = rank_all_items(scorer, self.holdouts, self.gate_k, self.users_per_block, bar)
        return sampled, full
