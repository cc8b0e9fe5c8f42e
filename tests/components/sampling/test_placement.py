"""Every row of an epoch is in one of its files, each with the same chance, whatever is in the others."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

from components.sampling import loops
from components.sampling.chunks import CHUNK_BITS
from components.sampling.placement import Placement
from components.sampling.sampler import Sampler

CHUNK = 1 << CHUNK_BITS
ROWS = 3 * CHUNK - 1_000
FILE_BITS = 3
SPREAD = 0x9E3779B1


def sampler(seed: int = 0) -> Sampler:
    summary = SimpleNamespace(interactions={"train": ROWS // 5 + 1})
    return Sampler(SimpleNamespace(summary=summary), num_negatives=4, batch_size=64, seed=seed, file_bits=FILE_BITS)


def bits(file: int, first_row: int = 0, rows: int = ROWS, epoch: int = 0) -> np.ndarray:
    marks, before = Placement(sampler(), epoch, file).marks(first_row, rows)
    return np.unpackbits(marks.view(np.uint8), bitorder="little")[before : before + rows].astype(bool)


@pytest.fixture(scope="module")
def files() -> np.ndarray:
    """Which rows are in which file, bool [files, ROWS]."""
    return np.stack([bits(file) for file in range(1 << FILE_BITS)])


def test_every_row_is_in_one_file(files: np.ndarray) -> None:
    np.testing.assert_array_equal(files.sum(axis=0), 1)


def test_the_sizes_of_files_are_those_of_throws_of_a_die(files: np.ndarray) -> None:
    for chunk in np.split(files[:, : 2 * CHUNK], 2, axis=1):
        assert 1e-3 < stats.chisquare(chunk.sum(axis=1)).pvalue < 1 - 1e-3


def test_a_part_of_the_rows_can_be_asked_for(files: np.ndarray) -> None:
    for first, rows in ((0, 1), (63, 2), (CHUNK - 70, 140), (CHUNK + 5, CHUNK), (ROWS - 1, 1)):
        np.testing.assert_array_equal(bits(5, first, rows), files[5, first : first + rows])


def test_rows_of_a_file_stand_anywhere(files: np.ndarray) -> None:
    for mine in files:
        cells = mine[: 2 * CHUNK].reshape(512, -1).sum(axis=1)
        # No row is drawn twice, which takes away from the variance of a multinomial distribution.
        statistic = ((cells - cells.mean()) ** 2).sum() / cells.mean() / (1 - 2.0**-FILE_BITS)
        assert 1e-4 < stats.chi2.sf(statistic, len(cells) - 1) < 1 - 1e-4
        gaps = np.diff(np.flatnonzero(mine))
        expected = 2.0**-FILE_BITS * (1 - 2.0**-FILE_BITS) ** np.arange(60)
        found = np.bincount(np.minimum(gaps, 61), minlength=62)[1:]
        assert stats.chisquare(found, len(gaps) * np.append(expected, 1 - expected.sum())).pvalue > 1e-4


@pytest.mark.parametrize("distance", [1, 2, 3, 16, 64, 512, 513, 4096, CHUNK // 2, CHUNK])
def test_rows_at_any_distance_know_nothing_of_each_other(files: np.ndarray, distance: int) -> None:
    together = (files[:, distance:] & files[:, :-distance]).sum()
    pairs, chance = ROWS - distance, 2.0**-FILE_BITS
    assert abs(together - pairs * chance) < 4 * np.sqrt(pairs * chance * (1 - chance))


def test_epochs_know_nothing_of_each_other(files: np.ndarray) -> None:
    together, expected = (files[2] & bits(2, epoch=1)).sum(), ROWS * 4.0**-FILE_BITS
    assert abs(together - expected) < 4 * np.sqrt(expected)


def test_seen_items_are_spread_out_and_stay_who_they_are() -> None:
    random = np.random.default_rng(0)
    users = [random.choice(1 << 20, size, replace=False).astype(np.int32) for size in (0, 1, 2, 5_000)]
    check_spread_out([*users, np.arange(3_000, dtype=np.int32), np.arange(0, 1 << 20, 1 << 8, dtype=np.int32)])


def test_items_that_would_stand_in_one_place_are_spread_out() -> None:
    number = np.arange(100, dtype=np.uint64)
    beside = number * np.uint64(pow(SPREAD, -1, 1 << 32)) % np.uint64(1 << 32)
    chosen = beside[beside < 1 << 31].astype(np.int32)
    elsewhere = np.arange(2_000, dtype=np.int32)
    check_spread_out([elsewhere, np.random.default_rng(0).permutation(np.union1d(chosen, elsewhere)), elsewhere])


def check_spread_out(users: list[np.ndarray]) -> None:
    offsets = np.cumsum([0, *map(len, users)])
    items = np.concatenate(users)
    loops.spread_out(items, offsets)
    for mine, begin, end in zip(users, offsets[:-1], offsets[1:], strict=True):
        np.testing.assert_array_equal(np.sort(items[begin:end]), np.sort(mine))
        places = np.uint64(items[begin:end]) * np.uint64(SPREAD) % np.uint64(1 << 32)
        assert (np.diff(places.astype(np.int64)) > 0).all()
