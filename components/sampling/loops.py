"""The compiled inner loops of training rows: which of them a file takes, their negatives, their order.

The rows of an epoch have numbers: user after user, and of each the positives, then the negatives. Neither the cut into
shards nor the order of work can change what is drawn: a chunk of rows and a user have random streams of their own.

A row is packed into a uint64: the user in the upper half, then the item, then one bit for the label.
"""

# The compiler infers the types.
# mypy: disable-error-code="no-untyped-def,assignment"

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import types
from numba.extending import intrinsic

from components.kernels.compiling import compiled, entry_point
from components.kernels.memory import ask_for
from components.kernels.random import GAMMA, mix, scaled
from components.sampling.item_sets import add_all, clear_all, contains, pick

_WAITING = 256
_CROWDED = 16  # items in one slot; at random, one of 10^13 slots has more
_FEW, _SEARCHED = 8, 16  # a set is made for more negatives than these, and one at least for so many seen items

_U = np.uint64
_LOW, _ONES = _U(0xFFFFFFFF), _U(0xFFFFFFFFFFFFFFFF)
_SPREAD = _U(0x9E3779B1)
_GATHERED = _U(pow(0x9E3779B1, -1, 1 << 32))  # takes the product with it back
_0, _1, _32, _63 = (_U(n) for n in (0, 1, 32, 63))


def make_waiting() -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.uint64]]:
    """Room for the rows whose items are asked for, for one thread: user, place of a positive or -1, random word."""
    return np.empty(_WAITING, np.int64), np.empty(_WAITING, np.int64), np.empty(_WAITING, np.uint64)


@intrinsic
def _popcount(_typing: Any, word: Any) -> Any:
    """The number of ones of a uint64."""
    return types.uint64(types.uint64), lambda _context, builder, _signature, values: builder.ctpop(values[0])


@compiled(hot=True)
def _between(marks, word, first, end):
    """A word of the marks without the bits before number `first` and from number `end` on."""
    bits = marks[word]
    if first > word << 6:
        bits &= _ONES << _U(first & 63)
    if end < (word + 1) << 6:
        bits &= (_1 << _U(end & 63)) - _1
    return bits


@compiled(hot=True)
def _next_mark(marks, first, end):
    """The number of the first bit that is set, from `first` to before `end`; `end` where there is none."""
    for word in range(first >> 6, (end + 63) >> 6):
        bits = marks[word]
        if bits != _0:
            bits = _between(marks, word, first, end)
        if bits != _0:
            return (word << 6) + np.int64(_popcount(~bits & (bits - _1)))
    return end


@compiled(hot=True)
def _owner(offsets, index, position):
    """Whose item stands at a position: the index of a user, who is not before `index`; found in a logarithm's time."""
    last, step, end = len(offsets) - 1, 1, index + 1
    while offsets[end] <= position:
        index, end, step = end, min(end + step, last), 2 * step
    while end - index > 1:
        middle = (index + end) >> 1
        if offsets[middle] <= position:
            index = middle
        else:
            end = middle
    return index


@compiled(hot=True)
def _spread(item):
    """Another number below 2^32 for every item: those of a user are spread evenly."""
    return (_U(item) * _SPREAD) & _LOW


@compiled(hot=True)
def _guess(item, begin, end):
    """About where an item would stand among a user's, which are those from `begin` to before `end`."""
    return begin + np.int64(_spread(item) * _U(end - begin) >> _32)


@compiled(hot=True)
def _is_seen(items, begin, end, item):
    """Whether an item is among a user's, which ascend by `_spread`: a look at where it would stand."""
    wanted = _spread(item)
    place = _guess(item, begin, end)
    while place + 1 < end and _spread(items[place]) < wanted:
        place += 1
    while place > begin and _spread(items[place]) > wanted:
        place -= 1
    return _U(items[place]) == item


@compiled(hot=True)
def _put(rows, ends, word, row):
    """Appends a row to the bucket that a random word's lower half names; beyond the capacity it is counted alone."""
    bucket = word & _U(rows.shape[0] - 1)
    place = ends[bucket]
    if place < rows.shape[1]:
        rows[bucket, place] = row
    ends[bucket] = place + 1


@compiled(hot=True)
def _put_waiting(waiting, number, items, offsets, first_user, num_items, rows, ends):
    """Puts the rows that wait into their buckets, now that the items that they need have been loaded."""
    owners, places, words = waiting
    bound = _U(num_items)
    threshold = (_1 << _32) % bound
    for entry in range(number):
        index, place, word = owners[entry], places[entry], words[entry]
        row_of_user = _U(first_user + index) << _32
        if place >= 0:
            _put(rows, ends, word, row_of_user | _U(items[place]) << _1 | _1)
            continue
        begin, end = offsets[index], offsets[index + 1]
        product = (word >> _32) * bound
        while product & _LOW < threshold or _is_seen(items, begin, end, product >> _32):
            word = mix(word + GAMMA)
            product = (word >> _32) * bound
        _put(rows, ends, word, row_of_user | (product >> _32) << _1)


@entry_point(hot=True)
def scatter_rows(
    items, offsets, first_user, num_items, num_negatives, marks, before, key, rows, ends, scratch, waiting
):
    """Scatters one file's rows of one shard over the file's buckets, each row into a bucket drawn at random.

    As the negatives of a user are exchangeable, only their number in this file matters, and the task draws them itself.
    A random word serves twice: its upper half draws the item, the lower half the bucket.

    What it takes grows with the file's rows, not with the shard's. Where a user has many rows here, a set of the seen
    items is made for them. Else each item is looked for where it would stand; as nothing of the user is in the cache,
    the items that some rows need are asked for, and only then looked at. Who has seen most items gets a list of the
    others. Which way is taken depends on the user's numbers alone, and rows are put down in their order.

    Args:
      items: as in `TrainShard`.
      offsets: as in `TrainShard`.
      first_user: as in `TrainShard`.
      num_items: how many items there are.
      num_negatives: negatives per positive.
      marks: uint64 [n]: a bit for each row of the epoch from a certain one on: whether it is in this file.
      before: how many rows these are before the shard's own.
      key: uint64, another one for each file.
      rows: uint64 [buckets, capacity]: receives the rows; the number of buckets is a power of two.
      ends: int64 [buckets]: how many rows each bucket has, those beyond the capacity included, which are lost; updated.
      scratch: see `make_scratch`; left as it was.
      waiting: int64 [m], int64 [m] and uint64 [m]: room for what is known of rows whose items are asked for.

    A user who has every item has no negative: rows of the user's own are drawn in place of them, as positives.
    """
    bitset, absent = scratch
    owners, places, words = waiting
    bound = _U(num_items)
    threshold = (_1 << _32) % bound
    width = 1 + num_negatives
    number = index = 0
    last = before + len(items) * width
    marked = _next_mark(marks, before, last)
    while marked < last:
        index = _owner(offsets, index, (marked - before) // width)
        begin, end = offsets[index], offsets[index + 1]
        positives = end - begin
        first, beyond = before + begin * width, before + end * width
        middle = first + positives
        negatives = 0
        for block in range(middle >> 6, (beyond + 63) >> 6):
            negatives += np.int64(_popcount(_between(marks, block, middle, beyond)))
        listed = 2 * positives > num_items
        at_once = listed or (negatives > _FEW and negatives * _SEARCHED > positives)
        if at_once:
            _put_waiting(waiting, number, items, offsets, first_user, num_items, rows, ends)
            number = 0

        user = _U(first_user + index)
        row_of_user = user << _32
        state = mix(_U(key) + user * GAMMA)
        for block in range(first >> 6, (middle + 63) >> 6):
            mine = _between(marks, block, first, middle)
            while mine != _0:
                place = begin + (block << 6) + np.int64(_popcount(~mine & (mine - _1))) - first
                mine &= mine - _1
                state += GAMMA
                if at_once:
                    _put(rows, ends, mix(state), row_of_user | _U(items[place]) << _1 | _1)
                    continue
                if number == len(words):
                    _put_waiting(waiting, number, items, offsets, first_user, num_items, rows, ends)
                    number = 0
                ask_for(items[place : place + 1])
                owners[number], places[number], words[number] = index, place, mix(state)
                number += 1
        if listed:
            state = _put_listed(items[begin:end], negatives, state, row_of_user, bound, rows, ends, bitset, absent)
        elif at_once:
            add_all(bitset, items[begin:end])
            for _ in range(negatives):
                state += GAMMA
                word = mix(state)
                product = (word >> _32) * bound
                while product & _LOW < threshold or contains(bitset, product >> _32):
                    word = mix(word + GAMMA)
                    product = (word >> _32) * bound
                _put(rows, ends, word, row_of_user | (product >> _32) << _1)
            clear_all(bitset, items[begin:end])
        else:
            for _ in range(negatives):
                if number == len(words):
                    _put_waiting(waiting, number, items, offsets, first_user, num_items, rows, ends)
                    number = 0
                state += GAMMA
                word = mix(state)
                place = _guess((word >> _32) * bound >> _32, begin, end)
                ask_for(items[place : place + 1])
                owners[number], places[number], words[number] = index, -1, word
                number += 1
        marked = _next_mark(marks, beyond, last)
    _put_waiting(waiting, number, items, offsets, first_user, num_items, rows, ends)


@compiled(hot=True)
def _put_listed(seen, negatives, state, row_of_user, bound, rows, ends, bitset, absent):
    """Puts down the negatives of a user who has seen most items, from a list of the others."""
    add_all(bitset, seen)
    candidates = _0
    for _ in range(negatives):
        state, word, item, candidates = pick(state, bound, bitset, absent, candidates, True)
        label = _0
        if item == bound:
            state += GAMMA
            word = mix(state)
            item, label = _U(seen[np.int64((word >> _32) * _U(len(seen)) >> _32)]), _1
        _put(rows, ends, word, row_of_user | item << _1 | label)
    clear_all(bitset, seen)
    return state


@entry_point
def spread_out(items, offsets):
    """Sorts the items of each user by `_spread`; items and offsets are as in `TrainShard`.

    As the numbers are spread evenly, each is put about where it belongs, in a slot for each item, and what remains is
    done by insertion. Where a slot gets many items, which takes items chosen for it, the numbers are sorted as any.
    """
    longest = 0
    for user in range(len(offsets) - 1):
        longest = max(longest, offsets[user + 1] - offsets[user])
    ends, spread = np.empty(longest, np.int64), np.empty(longest, np.uint32)
    for user in range(len(offsets) - 1):
        part = items[offsets[user] : offsets[user + 1]]
        count = len(part)
        ends[:count] = 0
        for item in part:
            ends[_guess(item, 0, count)] += 1
        most = end = 0
        for slot in range(count):
            most = max(most, ends[slot])
            ends[slot], end = end, end + ends[slot]
        for item in part:
            slot = _guess(item, 0, count)
            spread[ends[slot]] = _spread(item)
            ends[slot] += 1
        if most > _CROWDED:
            spread[:count].sort()
        else:
            _insert_in_order(spread[:count])
        for place in range(count):
            part[place] = np.int32((_U(spread[place]) * _GATHERED) & _LOW)


@compiled
def _insert_in_order(numbers):
    """Sorts numbers that stand near their places."""
    for begin in range(1, len(numbers)):
        number, place = numbers[begin], begin
        while place > 0 and numbers[place - 1] > number:
            numbers[place] = numbers[place - 1]
            place -= 1
        numbers[place] = number


@entry_point
def shuffle(rows, key):
    """Fisher-Yates: makes every order of the rows (uint64 [n]) equally likely."""
    state = _U(key)
    last = len(rows) - 1
    while last > 0:
        state += GAMMA
        word = mix(state)
        state, other = scaled(word >> _32, _U(last + 1), state)
        rows[last], rows[other] = rows[other], rows[last]
        last -= 1
        if last > 0:
            state, other = scaled(word & _LOW, _U(last + 1), state)
            rows[last], rows[other] = rows[other], rows[last]
            last -= 1


@entry_point
def unpack(rows, users, items, labels):
    """Splits packed rows into columns, all of the same length."""
    for index in range(len(rows)):
        row = rows[index]
        users[index] = np.int32(row >> _32)
        items[index] = np.int32((row >> _1) & _U(0x7FFFFFFF))
        labels[index] = np.uint8(row & _1)
