"""The champion: the newest pushed model that can be loaded, which a challenger is compared with before it replaces it.

The two may come from different data. So they are compared by raw id, as it is written, on what both know: for each
test user whom the champion knows, and whose held-out item it knows, both rank that item among the candidates that both
know: all unseen items, and the sampled ones. Differences are paired by user, which cancels what makes a user easy or
hard for both.

The test records are the challenger's, and so is the idea of what a user has not seen. Where data is added from one run
to the next, that is fair. Where data goes (a sliding window, a spoilt feed), items that the champion learnt from may
be among the negatives, and it pays for ranking them high: a minimum, and the baselines, are then the rules to rely on,
or test negatives that are given (`negatives.protocol: ncf`).
"""

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from components.artifacts.evaluation import (
    Champion,
    ChampionQuartile,
    ChampionStatus,
    Comparison,
    Difference,
    Way,
    WorstSlice,
)
from components.artifacts.vocabulary import RawIds
from components.evaluator.asking import Answer, Ask, fastest_ask
from components.evaluator.bootstrap import paired_interval
from components.evaluator.config import EvaluatorConfig
from components.evaluator.drift import measure_drift
from components.evaluator.slices import Slicing
from components.metrics import METRICS
from components.metrics.by_user import summarise as summarise_ranks
from components.ranking.ranks import Candidates, rank_first
from components.serving.contract import NO_ITEM, SERVE
from components.serving.loader import ServedModel
from components.serving.newest import load_newest
from components.serving.versions import whole_versions
from components.shared.errors import UserError
from components.shared.parallel import cores, map_ahead
from components.shared.progress import Bar
from components.shared.scorer import Scorer

_ADVICE = (
    "remove that version from the push destination, or set evaluator.champion_margin and evaluator.slice_margin to null"
)

_TYPES = {True: "texts", False: "whole numbers"}

_Flags: TypeAlias = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Trial:
    """What the two are compared on.

    Attributes:
      batches: by ranking, the test users' held-out items and their rivals; of the ranking that matters most first, and
        without those in which too few users have metrics.
      user_ids: raw ids of the challenger's users by index, int64 or objects that are texts.
      item_ids: raw ids of its items by index, likewise.
      item_counts: int64 [items], its training interactions of each of those.
      slicings: the ways to cut the test records into quartiles.
    """

    batches: Mapping[Way, Iterable[Candidates]]
    user_ids: RawIds
    item_ids: RawIds
    item_counts: npt.NDArray[np.int64]
    slicings: Mapping[str, Slicing]


@dataclass(frozen=True)
class Duel:
    """The ranks that two models gave the held-out items of the users that can be compared.

    Attributes:
      users: int32 [n], indexes of the challenger's vocabulary.
      items: int32 [n], the held-out items, likewise.
      challenger: int64 [n], the ranks, 1 = best.
      champion: int64 [n].
    """

    users: npt.NDArray[np.int32]
    items: npt.NDArray[np.int32]
    challenger: npt.NDArray[np.int64]
    champion: npt.NDArray[np.int64]


def compare_with_champion(
    destination: str | None,
    challenger: Scorer,
    trial: Trial,
    config: EvaluatorConfig,
    random: np.random.Generator,
    bar: Bar,
) -> Champion:
    """Compares a model with the champion.

    Args:
      destination: folder that the versions are pushed to; None where there is none.
      challenger: the model, which has scored these batches before: what fails here is the champion.
      trial: what to compare them on.
      config: the K, the confidence, and the least number of shared test users.
      random: draws the resamples of the intervals.
      bar: moves on by one for each test user.
    """
    champion, warning, drift = None, None, None
    try:
        versions = whole_versions(destination) if destination else iter(())
        champion = next(versions, None)
        if champion is None:
            return Champion(ChampionStatus.NONE, "skipped: there is no champion yet to compare with")
        if not trial.batches:
            reason = f"skipped: too few test users have more than {config.gate_k} candidates"
            return Champion(ChampionStatus.NONE, reason, champion.name, champion.path)
        model, champion, damaged = load_newest(
            chain([champion], versions), lambda version: ServedModel(version.path, None, (SERVE,), _ADVICE)
        )
        taken, of_types = as_taken(trial, model.takes_texts())
        warning = "; ".join(filter(None, (damaged, of_types))) or None
        drift = measure_drift(model, taken.user_ids, taken.item_ids, taken.item_counts, config.pairs_per_block)
        shared_items = _count_known_items(model, taken, config.pairs_per_block)
        with model.with_measured_histories():  # what it serves may have read the very items that are held out
            ask = fastest_ask(model, taken.user_ids, taken.item_ids)
            duels = {way: _fight(ask, challenger, taken.batches[way], config.gate_k, bar) for way in trial.batches}
        for duel in duels.values():
            _check_users(duel, config)
    except UserError as error:
        name, path = (champion.name, champion.path) if champion else (None, None)
        detail = f"the champion cannot be compared: {error}"
        return Champion(ChampionStatus.BROKEN, detail, name, path, warning=warning, drift=drift)
    return Champion(
        ChampionStatus.COMPARED,
        f"version {champion.name}, on {len(next(iter(duels.values())).users):,} test users and {shared_items:,} items "
        "that both models know",
        champion.name,
        champion.path,
        {way: summarise(duel, shared_items, trial.slicings, config, random) for way, duel in duels.items()},
        warning,
        drift,
    )


def as_taken(trial: Trial, texts: Mapping[str, bool]) -> tuple[Trial, str | None]:
    """The trial with raw ids of the types that the champion takes, and a sentence on those that are of another type.

    An id is the same where it is written the same: 12 and "12" are one. What the champion cannot have is unknown to it.

    Args:
      trial: what to compare them on.
      texts: whether the champion takes texts, by the names of its inputs.
    """
    ids = {"user": trial.user_ids, "item": trial.item_ids}
    taken = {"user": texts["user_id"], "item": texts["item_ids"]}
    differing = {what: taken[what] for what, own in ids.items() if (own.dtype.kind == "O") != taken[what]}
    if not differing:
        return trial, None
    told = " and ".join(
        f"{what} ids are {_TYPES[theirs]} in the champion and {_TYPES[not theirs]} in this data"
        for what, theirs in differing.items()
    )
    users, items = (_of_type(ids[what], taken[what]) for what in ("user", "item"))
    warning = f"{told}: only those that are written the same are compared"
    return replace(trial, user_ids=users, item_ids=items), warning


def _of_type(ids: RawIds, texts: bool) -> RawIds:
    if texts == (ids.dtype.kind == "O"):
        return ids
    if texts:
        return ids.astype(str).astype(object)
    return np.array([int(text) if _is_number(text) else NO_ITEM for text in ids.tolist()], np.int64)


def _is_number(text: str) -> bool:
    """Whether a text is a whole number of 64 bits that prints back as it is written."""
    digits = text.removeprefix("-")
    return digits.isdecimal() and len(digits) < 20 and str(int(text)) == text and abs(int(text)) < 2**63


def _count_known_items(model: ServedModel, trial: Trial, at_once: int) -> int:
    parts = [trial.item_ids[None, begin : begin + at_once] for begin in range(0, len(trial.item_ids), at_once)]
    return sum(int(model.serve(trial.user_ids[:1], part)["known_item"].sum()) for part in parts)


def _fight(ask: Ask, challenger: Scorer, batches: Iterable[Candidates], k: int, bar: Bar) -> Duel:
    def duel(batch: Candidates) -> tuple[Duel, int]:
        answer = ask(batch.users, batch.items)
        masked, counts = _share(batch, answer, k)
        users, items, masked = batch.users[counts], batch.items[counts], masked[counts]
        # Padding is scored too: so every batch has one shape.
        challenging, defending = challenger.score_candidates(batch.users, batch.items)[counts], answer.scores[counts]
        if not np.isfinite(defending[~masked]).all():
            raise UserError(f"it gives scores that are not finite; {_ADVICE}")
        ranked = Duel(users, items[:, 0], rank_first(challenging, masked), rank_first(defending, masked))
        return ranked, int((~batch.masked[:, 0]).sum())

    no_indexes, no_ranks = np.zeros(0, np.int32), np.zeros(0, np.int64)
    found = [Duel(no_indexes, no_indexes, no_ranks, no_ranks)]
    with contextlib.closing(map_ahead(duel, batches, cores())) as duels:
        for of_batch, users in duels:
            found.append(of_batch)
            bar.advance(users)
    fields = zip(*((duel.users, duel.items, duel.challenger, duel.champion) for duel in found), strict=True)
    return Duel(*map(np.concatenate, fields))


def _share(batch: Candidates, answer: Answer, k: int) -> tuple[_Flags, _Flags]:
    """What both models know of a batch.

    Returns:
      The mask, bool [n, width], with what the champion does not know masked as well; and which users count, bool [n].
      A user with fewer than `k` rivals left does not: both models would hit for certain, and look equal by that.
    """
    masked = batch.masked | ~answer.known_items
    return masked, answer.known_users & ~masked[:, 0] & ((~masked[:, 1:]).sum(axis=1) >= k)


def _check_users(duel: Duel, config: EvaluatorConfig) -> None:
    if len(duel.users) < config.minimum_test_users:
        raise UserError(
            f"it shares {len(duel.users):,} test users with this model, fewer than the minimum "
            f"{config.minimum_test_users:,}: both must know the user, the held-out item and {config.gate_k} of its "
            f"candidates; {_ADVICE}"
        )


def summarise(
    duel: Duel, shared_items: int, slicings: Mapping[str, Slicing], config: EvaluatorConfig, random: np.random.Generator
) -> Comparison:
    """What the ranks of the two say: metrics, paired differences with their bounds, and the same by quartiles.

    Args:
      duel: the ranks.
      shared_items: how many items both models know.
      slicings: the ways to cut the test records into quartiles.
      config: the K, the confidence, and the number of resamples.
      random: draws the resamples of the intervals.
    """
    k, confidence = config.gate_k, config.champion_confidence
    of_users = {
        f"{name}@{k}": measure(duel.challenger, k) - measure(duel.champion, k) for name, measure in METRICS.items()
    }
    # The bounds of the two-sided interval of confidence 2c - 1 are the one-sided bounds of confidence c.
    intervals = {
        name: paired_interval(values, 2 * confidence - 1, random, config.bootstrap_samples)
        for name, values in of_users.items()
    }
    slices = {
        way: tuple(
            ChampionQuartile(
                part.name,
                int(members.sum()),
                {name: float(values[members].mean()) for name, values in of_users.items()},
            )
            for part, members in slicing.members(duel.users, duel.items)
            if members.any()
        )
        for way, slicing in slicings.items()
    }
    return Comparison(
        shared_users=len(duel.users),
        shared_items=shared_items,
        confidence=confidence,
        challenger=summarise_ranks(duel.challenger, (k,)),
        champion=summarise_ranks(duel.champion, (k,)),
        differences={name: Difference(*interval) for name, interval in intervals.items()},
        slices=slices,
        worst_slice={name: _worst(slices, name) for name in of_users} if len(duel.users) else {},
    )


def _worst(slices: Mapping[str, Sequence[ChampionQuartile]], metric: str) -> WorstSlice:
    found = [
        WorstSlice(f"{way.replace('_', ' ')}, {part.name}", part.differences[metric])
        for way, parts in slices.items()
        for part in parts
    ]
    return min(found, key=lambda part: part.difference)
