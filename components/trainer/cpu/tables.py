"""What a step does with the rows of a table: find those of the batch, project them, gather their gradients.

The first dense layer is factorised (see `NeuMF`): each row is projected once, however often the batch repeats it.
"""

# The compiler infers the types.
# mypy: disable-error-code="no-untyped-def"

import numpy as np

from components.trainer.cpu.blas import product, product_of_columns, product_of_rows
from components.trainer.cpu.compiling import compiled

_0, _1 = np.float32(0), np.float32(1)


@compiled
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
            side.counts[slot] = _0
            found += 1
        side.slots[pair] = slot
        side.counts[slot] += _1
    for slot in range(found):
        side.slot_of[side.rows[slot]] = -1
    side.found[0] = found


@compiled
def project(side, factors, kernel, begin, end):
    """Applies a side's share of the first layer, [half, width], to some slots, and zeroes their gradients."""
    for slot in range(begin, end):
        _prepare(side.table.value[side.rows[slot]], side.gathered[slot], side.projected[slot, :factors],
                 side.gradient[slot])  # fmt: skip
    if kernel.shape[1]:
        product(side.gathered[begin:end, factors:], kernel, side.projected[begin:end, factors:], _0)


@compiled
def _prepare(row, gathered, of_gmf, gradient):
    for k in range(len(row)):
        gathered[k] = row[k]
    for k in range(len(of_gmf)):
        of_gmf[k] = row[k]
    for k in range(len(gradient)):
        gradient[k] = _0


@compiled
def collect_gradients(side, other, first, end, head, scratch, part, parts):
    """Adds the gradients of a block of pairs to those of one part of a side's projected rows.

    A slot's gradients are added in the order of the pairs, so that the sums do not depend on the number of parts.

    Args:
      side: whose rows.
      other: the other side.
      first: the first pair of the block.
      end: behind its last one.
      head: float32 [factors], the head's weights of the GMF tower.
      scratch: the block's errors and hidden gradients.
      part: of `parts`.
      parts: into how many the slots are cut.
    """
    factors = len(head)
    for pair in range(first, end):
        slot = side.slots[pair]
        if slot % parts == part:
            error = scratch.errors[pair - first]
            of_gmf = side.gradient[slot, :factors]
            partner = other.projected[other.slots[pair], :factors]
            for k in range(factors):
                of_gmf[k] += error * head[k] * partner[k]
            of_mlp = side.gradient[slot, factors:]
            hidden = scratch.hidden_gradient[pair - first]
            for k in range(len(hidden)):
                of_mlp[k] += hidden[k]


@compiled
def project_back(side, factors, kernel, l2, pairs, of_kernel, begin, end):
    """Turns the gradients of some projected rows into those of the rows, and adds to that of the kernel.

    Args:
      side: whose rows.
      factors: width of the GMF part.
      kernel: float32 [half, width].
      l2: float32 [factors + half].
      pairs: in the batch.
      of_kernel: float32 [half, width].
      begin: the first slot.
      end: behind the last slot.
    """
    if kernel.shape[1]:
        gradient = side.gradient[begin:end, factors:]
        product_of_rows(gradient, kernel, side.row_gradient[begin:end, factors:], _0)
        product_of_columns(side.gathered[begin:end, factors:], gradient, of_kernel, _1)
    for slot in range(begin, end):
        share = side.counts[slot] / np.float32(pairs)
        _finish(side.gradient[slot, :factors], side.gathered[slot], share, l2, side.row_gradient[slot])


@compiled
def _finish(of_gmf, gathered, share, l2, row_gradient):
    for k in range(len(of_gmf)):
        row_gradient[k] = of_gmf[k]
    for k in range(len(l2)):
        row_gradient[k] += share * l2[k] * gathered[k]
