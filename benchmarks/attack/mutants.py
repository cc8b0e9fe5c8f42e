"""Nine ways to spoil a good model, each drawn anew: which rows, how many, how much."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from benchmarks.attack.ground import Ground
from benchmarks.attack.saved import Arrays, write_with
from components.artifacts.vocabulary import RawIds, Vocabulary

MEASURED, SERVED, ITEMS = "measured_users", "_served_users", "_item_rows"
_HEAD = "_weights/neumf_head_kernel"
_TABLES = {"users": (MEASURED, SERVED), "served users": (SERVED,), "items": (ITEMS,)}
_LABEL = 20.0


@dataclass(frozen=True)
class Workshop:
    """What mutants are made from.

    Attributes:
      ground: the good model, and its data.
      arrays: its weights.
      others: models of other data sets of the same size.
      strengths: by ways to be worse, how much makes NDCG@10 3 % lower.
    """

    ground: Ground
    arrays: Arrays
    others: Sequence[Ground]
    strengths: Mapping[str, float]

    def write(self, folder: Path, changed: Arrays) -> str:
        """The good model with other values for some variables; the folder of the SavedModel."""
        return write_with(self.ground.model, folder, changed)


@dataclass(frozen=True)
class Made:
    """A model to be judged.

    Attributes:
      told: what was done, in words.
      model: the folder of the SavedModel.
      interactions: the URI of the data's, where those of the good model are not what it is judged on.
      exported: digests of what the Trainer exported; None for what went wrong before, which would have others.
      stands_for_training: whether some training might have given it: then it does not count that its rows are not made
        of what users did, as those of that training would be.
    """

    told: str
    model: str
    interactions: str | None = None
    exported: Mapping[str, str] | None = None
    stands_for_training: bool = False


Make: TypeAlias = Callable[[Workshop, np.random.Generator, Path], Made]


def nan_rows(shop: Workshop, random: np.random.Generator, folder: Path) -> Made:
    """Rows of users, of users as they are served, or of items that are no numbers."""
    where, value = random.choice([*_TABLES]), random.choice([np.nan, np.inf])
    tables = _TABLES[where]
    rows = _some(random, len(shop.arrays[tables[0]]), 1, 0.1)
    changed = {name: shop.arrays[name].copy() for name in tables}
    for table in changed.values():
        table[rows] = value
    return Made(f"{value} in {len(rows)} {where}", shop.write(folder, changed), exported=shop.ground.exported)


def swapped_rows(shop: Workshop, random: np.random.Generator, folder: Path) -> Made:
    """Rows that changed places: from two of them to a fifth of all."""
    where = random.choice([*_TABLES])
    tables = _TABLES[where]
    rows = _some(random, len(shop.arrays[tables[0]]), 2, 0.2)
    changed = {name: shop.arrays[name].copy() for name in tables}
    for table in changed.values():
        table[rows] = table[np.roll(rows, 1)]
    exported = shop.ground.exported if random.random() < 0.5 else None
    when = "after the export" if exported else "before it"
    return Made(f"{len(rows)} {where} changed places {when}", shop.write(folder, changed), exported=exported)


def stale_vocabulary(shop: Workshop, random: np.random.Generator, folder: Path) -> Made:
    """Ids of another state of the data: some gone, some moved, or all after a place one further."""
    vocabulary, side = Vocabulary.open(shop.ground.vocabulary), random.choice(["user_ids", "item_ids"])
    ids: RawIds = getattr(vocabulary, side).copy()
    way = random.choice(["gone", "moved", "one further"])
    rows = _some(random, len(ids), 2, 0.05)
    if way == "gone":
        ids[rows] = ids.max() + 1 + np.arange(len(rows))
    elif way == "moved":
        ids[rows] = ids[np.roll(rows, 1)]
    else:
        ids[rows[0] :] = np.append(ids[rows[0] + 1 :], ids.max() + 1)
    changed = Vocabulary(**{**vars(vocabulary), side: ids})
    told = f"all {side} after place {rows[0]}" if way == "one further" else f"{len(rows)} {side}"
    return Made(f"{told} {way}", shop.ground.export(folder, shop.arrays, shop.ground, changed))


def half_trained(shop: Workshop, random: np.random.Generator, folder: Path) -> Made:
    """Trainings that ended too early, or had too small a part of the model."""
    changed: dict[str, object] = {"recent_items": 0, "epochs": 1}
    if random.random() < 0.5:
        changed |= {"history_factors": 0, "als_iterations": 1}
    else:
        rate = float(10 ** random.uniform(-5, -3))
        changed |= {"history_factors": int(random.choice([0, 1, 2])), "pretraining": "none", "learning_rate": rate}
    told = ", ".join(
        f"{name} {value:.2g}" if isinstance(value, float) else f"{name} {value}" for name, value in changed.items()
    )
    model, exported = shop.ground.train(folder, int(random.integers(1 << 30)), **changed)
    return Made(told, model, exported=exported)


def popularity(shop: Workshop, random: np.random.Generator, folder: Path) -> Made:
    """Users who are nearly all the same: what is popular comes to everybody, with a little of their own."""
    own = float(random.uniform(0, 0.3))
    changed = {name: _towards_mean(shop.arrays[name], own) for name in (MEASURED, SERVED)}
    return Made(f"{own:.2f} of the users' own", shop.write(folder, changed), stands_for_training=True)


def _towards_mean(table: npt.NDArray[np.float32], own: float) -> npt.NDArray[np.float32]:
    mean = table.mean(axis=0)
    return mean + np.float32(own) * (table - mean)


def worse(shop: Workshop, random: np.random.Generator, folder: Path) -> Made:
    """A model whose NDCG@10 is 3 % lower."""
    way = random.choice([*WAYS])
    changed = WAYS[way](shop.arrays, shop.strengths[way], random)
    return Made(f"{way} {shop.strengths[way]:.3g}", shop.write(folder, changed), stands_for_training=True)


def _noisy(names: Sequence[str]) -> Callable[[Arrays, float, np.random.Generator], Arrays]:
    def harm(arrays: Arrays, strength: float, random: np.random.Generator) -> Arrays:
        noise = random.standard_normal(arrays[names[0]].shape, np.float32)
        return {name: arrays[name] + np.float32(strength) * arrays[name].std(axis=0) * noise for name in names}

    return harm


def _mixed_up(arrays: Arrays, strength: float, random: np.random.Generator) -> Arrays:
    users = len(arrays[MEASURED])
    rows = random.permutation(users)[: round(strength * users)]
    changed = {name: arrays[name].copy() for name in (MEASURED, SERVED)}
    for table in changed.values():
        table[rows] = table[np.roll(rows, 1)]
    return changed


WAYS: dict[str, Callable[[Arrays, float, np.random.Generator], Arrays]] = {
    "noise on users": _noisy((MEASURED, SERVED)),
    "noise on items": _noisy((ITEMS,)),
    "users mixed up": _mixed_up,
}
"""Ways to be worse: by weights, a strength from 0 to 1, and what is drawn."""


def leaked(shop: Workshop, random: np.random.Generator, folder: Path) -> Made:
    """Test items among what users did: in the data, in what training read alone, or in the rows that measure them."""
    table = shop.arrays[MEASURED].copy()
    rows = _some(random, len(table), len(table) // 20, 1.0)
    told, way = f"test items of {len(rows)} users learnt", random.choice(["data", "model alone", "training"])
    if way == "model alone":
        table[rows] = shop.arrays[SERVED][rows]
        return Made(f"{told}, by the {way}", shop.write(folder, {MEASURED: table}))
    leak = shop.ground.leak(folder.with_name("interactions"), rows)
    model, exported = shop.ground.train(folder, int(random.integers(1 << 30)), leak)
    return Made(f"{told}, by the {way}", model, leak if way == "data" else None, exported)


def labels(shop: Workshop, random: np.random.Generator, folder: Path) -> Made:
    """The held-out item has the highest score of all, for half of the users or more."""
    items = shop.arrays[ITEMS].copy()
    factors = len(shop.arrays[_HEAD]) - _outputs_of_mlp(shop.arrays)
    codes = random.choice([-1, 1], (len(items), factors)).astype(np.float32) / np.sqrt(factors, dtype=np.float32)
    items[:, :factors] = codes
    test_items = shop.ground.test_items()
    rows = np.flatnonzero(test_items >= 0)
    rows = rows[random.random(len(rows)) < random.uniform(0.5, 1)]
    changed = {name: shop.arrays[name].copy() for name in (MEASURED, SERVED)}
    head = shop.arrays[_HEAD][:factors, 0]
    for table in changed.values():
        table[:, :factors] = 0
        table[rows, :factors] = _LABEL * codes[test_items[rows]] / np.where(head, head, 1)
    model = shop.write(folder, {**changed, ITEMS: items})
    return Made(f"labels of {len(rows)} users", model, stands_for_training=True)


def _outputs_of_mlp(arrays: Arrays) -> int:
    biases = sorted(name for name in arrays if name.startswith("_weights/dense_") and name.endswith("_bias"))
    if biases:
        return len(arrays[biases[-1]])
    return len(arrays.get("_weights/neumf_first_bias", ()))


def other_data(shop: Workshop, random: np.random.Generator, folder: Path) -> Made:
    """A good model of another data set, with its own ids, or under those of this one."""
    other = shop.others[int(random.integers(len(shop.others)))]
    arrays = other.arrays()
    if random.random() < 0.3:
        return Made("with its own ids", write_with(other.model, folder, {}))
    vocabulary = Vocabulary.open(shop.ground.vocabulary)
    order = {name: random.permutation(len(getattr(vocabulary, name))) for name in ("user_ids", "item_ids")}
    resized = {name: arrays[name][order["user_ids"] % len(arrays[name])] for name in (MEASURED, SERVED)}
    items = order["item_ids"] % len(arrays[ITEMS])
    return Made("under our ids", other.export(folder, {**arrays, **resized}, shop.ground, vocabulary, items))


def _some(random: np.random.Generator, rows: int, fewest: int, share: float) -> npt.NDArray[np.int64]:
    """So many rows at least and such a share at most: small numbers are as likely as large ones."""
    number = round(float(np.exp(random.uniform(np.log(fewest), np.log(max(fewest, share * rows))))))
    return np.sort(random.choice(rows, number, replace=False))


KINDS: dict[str, Make] = {
    "nan_rows": nan_rows,
    "swapped_rows": swapped_rows,
    "stale_vocabulary": stale_vocabulary,
    "half_trained": half_trained,
    "popularity": popularity,
    "worse_3_percent": worse,
    "leaked": leaked,
    "labels": labels,
    "other_data": other_data,
}
"""The kinds of mutants, by name."""
