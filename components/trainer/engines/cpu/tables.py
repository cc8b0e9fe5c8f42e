"""What a step does with the rows of a table: find those of the batch, project them, gather their gradients.

The first dense layer is factorised (see `NeuMF`): each row is projected once, however often the batch repeats it.
"""

# The compiler infers the types.
# mypy: disable-error-code="no-untyped-def"

import numpy as np

from components.kernels.compiling import compiled
from components.kernels.memory import ROWS_AHEAD, ask_for
from components.kernels.products import add_product_of_columns, product
from components.trainer.engines.cpu.state import AT, BACK, PANELS

_0 = np.float32(0)


@compiled(hot=True)
def find_slots(side, index):
    """Numbers the distinct rows of a batch in the order of their first occurrence; index: int32 [B]."""
    found = 0
    for pair in range(len(index)):
        row = index[pair]
        slot = side.slot_of[row]
        if slot < 0:
            slot = found
            side.slot_of[row] = slot
            side.rows[slot] = row
            side.begins[slot + 1] = 0
            found += 1
        side.unsorted[pair] = slot
        side.begins[slot + 1] += 1
    for slot in range(found):
        side.slot_of[side.rows[slot]] = -1
        side.begins[slot + 1] += side.begins[slot]
        side.ends[slot] = side.begins[slot]
    side.found[0] = found


@compiled(hot=True)
def sort_pairs(users, items, label, labels):
    """Sorts the pairs by the users' slots, so that a user's row is needed for all of its pairs in turn.

    Args:
      users: their pairs are 0, 1, 2 and so on.
      items: their pairs are listed slot by slot.
      label: uint8 [B], of the pairs as they came.
      labels: float32 [B], of the sorted ones.
    """
    for pair in range(len(label)):
        slot = users.unsorted[pair]
        place = users.ends[slot]
        users.ends[slot] += 1
        users.slots[place] = slot
        items.slots[place] = items.unsorted[pair]
        labels[place] = np.float32(label[pair])
    for pair in range(len(label)):
        slot = items.slots[pair]
        items.pairs[items.ends[slot]] = pair
        items.ends[slot] += 1
    for side in (users, items):
        for slot in range(side.found[0]):
            side.ends[slot] = side.begins[slot]


@compiled(hot=True)
def project(side, dense, begin, end):
    """Applies a side's share of the first layer to some slots, and zeroes their gradients."""
    factors, half = dense.factors, dense.half
    for slot in range(begin, end):
        ask_for(side.table.value[side.rows[min(slot + ROWS_AHEAD, end - 1)]])
        row = side.table.value[side.rows[slot]]
        for k in range(factors + half):
            side.gathered[slot, k] = row[k]
        for k in range(factors):
            side.projected[slot, k] = row[k]
        for k in range(side.gradient.shape[1]):
            side.gradient[slot, k] = _0
    if half:
        panels = dense.panels[dense.kernels[side.kernel, PANELS] :]
        product(side.gathered[begin:end, factors:], panels, side.projected[begin:end, factors:])


@compiled(hot=True)
def add_bias(side, dense, begin, end):
    """Adds the first layer's bias to some projected slots."""
    bias = dense.weights.value[dense.bias_at :]
    for slot in range(begin, end):
        row = side.projected[slot, dense.factors :]
        for k in range(len(row)):
            row[k] += bias[k]


@compiled(hot=True)
def collect_gradients(side, other, factors, first, end, errors, hidden_gradient, begin_slot, end_slot):
    """Adds the gradients of a block of pairs to those of some projected rows; the GMF part lacks the head's weights.

    Args:
      side: whose rows.
      other: the other side.
      factors: width of the GMF part.
      first: the first pair of the block.
      end: behind its last one.
      errors: float32 [pairs of the block].
      hidden_gradient: float32 [pairs of the block, width].
      begin_slot: the first slot.
      end_slot: behind the last one.
    """
    for slot in range(begin_slot, end_slot):
        place, end_place = side.ends[slot], side.begins[slot + 1]
        if place == end_place or side.pairs[place] >= end:
            continue  # without a touch: another thread may be at it, in the next block
        of_gmf, of_mlp = side.gradient[slot, :factors], side.gradient[slot, factors:]
        while place < end_place and side.pairs[place] < end:
            pair, later = side.pairs[place], side.pairs[min(place + ROWS_AHEAD, len(side.pairs) - 1)]
            if first <= later < end:
                ask_for(other.projected[other.slots[later], :factors])
                ask_for(hidden_gradient[later - first])
            error, partner = errors[pair - first], other.projected[other.slots[pair]]
            for k in range(len(of_gmf)):
                of_gmf[k] += error * partner[k]
            hidden = hidden_gradient[pair - first]
            for k in range(len(of_mlp)):
                of_mlp[k] += hidden[k]
            place += 1
        side.ends[slot] = place


@compiled(hot=True)
def project_back(side, dense, lane, l2, pairs, begin, end, spare):
    """Turns the gradients of some projected rows into those of the rows, and adds to that of the kernel.

    Args:
      side: whose rows.
      dense: the weights.
      lane: whose gradients of them.
      l2: float32 [factors + half].
      pairs: in the batch.
      begin: the first slot.
      end: behind the last slot.
      spare: room for `add_product_of_columns`.
    """
    factors, half = dense.factors, dense.half
    if half:
        width = dense.widths[0]
        at, panels = dense.kernels[side.kernel, AT], dense.panels[dense.kernels[side.kernel, BACK] :]
        gradient = side.gradient[begin:end, factors:]
        of_kernel = dense.gradients[lane, at : at + half * width].reshape(half, width)
        product(gradient, panels, side.row_gradient[begin:end, factors:])
        add_product_of_columns(side.gathered[begin:end, factors:], gradient, spare, of_kernel)
    head = dense.weights.value[dense.head_at : dense.head_at + factors]
    for slot in range(begin, end):
        share = np.float32(side.begins[slot + 1] - side.begins[slot]) / np.float32(pairs)
        for k in range(factors):
            side.row_gradient[slot, k] = head[k] * side.gradient[slot, k]
        for k in range(factors + half):
            side.row_gradient[slot, k] += share * l2[k] * side.gathered[slot, k]


@compiled(hot=True)
def add_bias_gradient(side, dense, lane, begin, end):
    """Adds the gradient of the first layer's bias, which is in each pair, as each user is."""
    of_bias = dense.gradients[lane, dense.bias_at :]
    for slot in range(begin, end):
        row = side.gradient[slot, dense.factors :]
        for k in range(len(row)):
            of_bias[k] += row[k]
