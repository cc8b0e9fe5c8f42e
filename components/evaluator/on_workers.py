"""The model's ranking on the workers of a Beam engine: each of them loads the model, and ranks some of the users.

An engine hands nothing back, so what they find passes through files. Users are scored in the same blocks as in the step
itself, and so have the same ranks.
"""

import io
import itertools
import posixpath
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Literal, TypeVar

import apache_beam as beam
import numpy as np
from apache_beam.utils.shared import Shared

from components.artifacts import storage
from components.artifacts.evaluation import MODEL
from components.evaluator.config import EvaluatorConfig
from components.evaluator.trials import Sources, Trials
from components.ranking.compiled_scorer import fastest_scorer
from components.ranking.ranks import (
    FullRanking,
    Ranking,
    SampledRanking,
    join_rankings,
    rank_all_items,
    rank_candidates,
)
from components.shared import progress
from components.shared.scorer import Scorer

_MOST_PARTS = 64
"""Of each way: enough for many workers, and few enough that each loads the model for a good deal of work."""

_SomeRanking = TypeVar("_SomeRanking", bound=Ranking)


@dataclass(frozen=True)
class RankingJob:
    """What workers are told.

    Attributes:
      sources: what is evaluated; the workers see it under these names.
      config: what is measured.
      seed: of the run.
      folder: where the ranks of each part are left, which the workers see, too.
    """

    sources: Sources
    config: EvaluatorConfig
    seed: int
    folder: str


@dataclass(frozen=True)
class _Part:
    """Batches of sampled records, or blocks of users who are ranked among all items: from one on, up to another."""

    way: Literal["sampled", "full"]
    begin: int
    end: int

    def file(self, folder: str) -> str:
        return posixpath.join(folder, f"{self.way}-{self.begin:09d}.npz")


def rank_on_workers(
    make_pipeline: Callable[[], beam.Pipeline], job: RankingJob, trials: Trials
) -> tuple[SampledRanking, FullRanking]:
    """Ranks the test users with the model, as `Trials.rank` does.

    Args:
      make_pipeline: a pipeline on the engine, which runs at the end of its `with`.
      job: what is to be done.
      trials: the same test users.

    Raises:
      Exception: whatever the engine makes of a worker's.
    """
    sampled = _parts("sampled", trials.records.batches)
    full = _parts("full", -(-len(trials.holdouts.users) // trials.users_per_block))
    try:
        with progress.bar(f"{MODEL}: ranking on workers", 1) as bar:
            with make_pipeline() as pipeline:
                _ = pipeline | "Parts" >> beam.Create([*sampled, *full]) | "Rank" >> beam.ParDo(_RankPart(job))
            bar.advance()
        return (
            join_rankings([_read(part.file(job.folder), SampledRanking) for part in sampled]),
            join_rankings([_read(part.file(job.folder), FullRanking) for part in full]),
        )
    finally:
        storage.delete([job.folder])


def _parts(way: Literal["sampled", "full"], number: int) -> list[_Part]:
    """Cuts so many batches or blocks; no users are one part as well."""
    size = max(1, -(-number // _MOST_PARTS))
    return [_Part(way, begin, begin + size) for begin in range(0, max(1, number), size)]


@dataclass(frozen=True)
class _Loaded:
    """What the threads of a worker share."""

    trials: Trials
    scorer: Scorer


class _RankPart(beam.DoFn):
    """Ranks the users of a part, and leaves their ranks in a file."""

    def __init__(self, job: RankingJob):
        self._job = job
        self._shared = Shared()

    def process(self, part: _Part) -> Iterator[None]:
        loaded = self._shared.acquire(self._load)
        _write(_rank(part, loaded.trials, loaded.scorer), part.file(self._job.folder))
        yield from ()

    def _load(self) -> _Loaded:
        trials = Trials.open(self._job.sources, self._job.config, self._job.seed)
        return _Loaded(trials, fastest_scorer(trials.load(self._job.sources.model)))


def _rank(part: _Part, trials: Trials, scorer: Scorer) -> Ranking:
    with progress.bar(MODEL, part.end - part.begin) as bar:
        if part.way == "sampled":
            return rank_candidates(scorer, itertools.islice(trials.records.read(), part.begin, part.end), bar)
        size = trials.users_per_block
        users = np.arange(part.begin * size, min(part.end * size, len(trials.holdouts.users)))
        return rank_all_items(scorer, trials.holdouts.take(users), trials.gate_k, size, bar)


def _write(ranking: Ranking, name: str) -> None:
    content = io.BytesIO()
    np.savez(content, **asdict(ranking))
    with storage.write_atomically(name) as file:
        file.write(content.getvalue())


def _read(name: str, kind: type[_SomeRanking]) -> _SomeRanking:
    with storage.open_file(name) as file, np.load(io.BytesIO(file.read()), allow_pickle=False) as arrays:
        of_users = {key: values for key, values in arrays.items() if key != "not_finite"}
        return kind(**of_users, not_finite=int(arrays["not_finite"]))
