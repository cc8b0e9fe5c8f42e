import numpy as np
import pytest

from components.kernels.compiling import entry_point
from components.kernels.random import GAMMA, mix, scaled, uniform


@entry_point
def first_numbers(seed, numbers):
    state = np.uint64(seed)
    for place in range(len(numbers)):
        state += GAMMA
        numbers[place] = mix(state)


@entry_point
def scaled_numbers(seed, bound, numbers):
    state = np.uint64(seed)
    for place in range(len(numbers)):
        state += GAMMA
        state, numbers[place] = scaled(mix(state) >> np.uint64(32), np.uint64(bound), state)


@entry_point
def one_scaled(half, bound, state):
    return scaled(np.uint64(half), np.uint64(bound), np.uint64(state))


@entry_point
def one_uniform(word):
    return uniform(np.uint64(word))


def test_numbers_are_those_of_java_s_splittable_random() -> None:
    numbers = np.zeros(5, np.uint64)
    first_numbers(1234567, numbers)
    published = [
        6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821,
    ]  # fmt: skip
    assert numbers.tolist() == published


@pytest.mark.parametrize("bound", [1, 2, 3, 10, 1000, 3 << 30])
def test_scaled_numbers_are_uniform_below_their_bound(bound: int) -> None:
    numbers = np.zeros(60_000, np.uint64)
    scaled_numbers(7, bound, numbers)
    assert numbers.max() < bound
    parts = min(bound, 10)
    counts = np.bincount((numbers * np.uint64(parts) // np.uint64(bound)).astype(int), minlength=parts)
    assert (((counts - len(numbers) / parts) ** 2).sum() / (len(numbers) / parts)) < 40  # chi squared, 9 degrees


def test_a_number_that_would_favour_some_results_is_drawn_again() -> None:
    bound = 3 << 30  # below 2^32 stand four numbers for each three of the results: every fourth is one too many
    kept = [half for half in range(4) if one_scaled(half, bound, 5)[0] == 5]
    assert len(kept) == 3


def test_a_uniform_number_is_a_fraction_below_one() -> None:
    assert one_uniform(0) == 0
    assert one_uniform(np.uint64(2**64 - 1)) == 1 - 2**-53
    assert one_uniform(np.uint64(1 << 63)) == 0.5
