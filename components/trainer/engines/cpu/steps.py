"""A call of the engine: what each of its threads does, step by step.

Between the phases of a step, the threads wait for each other; within a phase, each takes the next task that is left.
What a task computes does not depend on who does it, nor on when.
"""

# The compiler infers the types.
# mypy: disable-error-code="no-untyped-def"

from components.kernels.compiling import compiled, entry_point
from components.kernels.threads import next_task, wait_for_all
from components.trainer.engines.cpu import adam as optimiser
from components.trainer.engines.cpu import tables, towers

LANES = 16  # partial sums of each gradient; a constant, so that results do not depend on the number of threads
ROWS_AT_ONCE = 256  # of a table, in a task: they stay in a core's cache from one loop over them to the next


def phases(steps: int, blocks: int) -> int:
    """How many phases a call of `train` has."""
    return steps * (5 + blocks) + 1


@entry_point(hot=True)
def train(
    thread,
    threads,
    counters,
    arrived,
    steps,
    user,
    item,
    label,
    blocks,
    users,
    items,
    dense,
    scratch,
    loss,
    adam,
    losses,
):
    """Trains on `steps` batches; all threads call it with the same arguments, and return when all is done.

    Args:
      thread: number of the calling thread, from 0; the only argument that differs.
      threads: how many there are.
      counters: int64 [phases, 1], zeros.
      arrived: int64 [1], zero.
      steps: how many batches.
      user: int32 [S, B].
      item: int32 [S, B].
      label: uint8 [S, B].
      blocks: into how many blocks the pairs of a batch are cut.
      users: the users' `Side`.
      items: the items' `Side`.
      dense: the other weights; their gradients are zero.
      scratch: for the blocks; its losses are zero.
      loss: the `Loss`, a constant of the compiled code.
      adam: for the steps.
      losses: to be filled: float64 [S], mean of each batch.
    """
    pairs = user.shape[1]
    phase = 0
    for step in range(steps):
        _find_slots_and_pack(counters[phase], users, items, dense, user[step], item[step])
        phase += 1
        wait_for_all(arrived, threads * phase)
        _sort_and_project(counters[phase], users, items, label[step], dense, scratch, step, adam)
        phase += 1
        wait_for_all(arrived, threads * phase)
        for block in range(blocks + 1):
            _work_on_pairs(counters[phase], users, items, block, blocks, dense, scratch, loss, thread)
            phase += 1
            wait_for_all(arrived, threads * phase)
        _project_back(counters[phase], users, items, dense, pairs, adam, scratch.panels[thread])
        phase += 1
        wait_for_all(arrived, threads * phase)
        _move(counters[phase], users, items, dense, scratch, step, adam, losses, pairs)
        phase += 1
        wait_for_all(arrived, threads * phase)
    _coast(counters[phase], users, items, steps, adam)


@compiled(hot=True)
def _find_slots_and_pack(counter, users, items, dense, user, item):
    task = next_task(counter)
    while task < 2 + len(dense.kernels):
        if task == 0:
            tables.find_slots(users, user)
        elif task == 1:
            tables.find_slots(items, item)
        else:
            towers.pack_kernel(dense, task - 2)
        task = next_task(counter)


@compiled(hot=True)
def _sort_and_project(counter, users, items, label, dense, scratch, step, adam):
    user_tasks, item_tasks = _row_tasks(users), _row_tasks(items)
    task = next_task(counter)
    while task < 1 + user_tasks + item_tasks:
        if task == 0:
            tables.sort_pairs(users, items, label, scratch.labels)
        elif task <= user_tasks:
            _project_rows(users, dense, task - 1, step, adam)
            tables.add_bias(users, dense, *_rows(users, task - 1))
        else:
            _project_rows(items, dense, task - 1 - user_tasks, step, adam)
        task = next_task(counter)


@compiled(hot=True)
def _row_tasks(side):
    return (side.found[0] + ROWS_AT_ONCE - 1) // ROWS_AT_ONCE


@compiled(hot=True)
def _rows(side, task):
    return task * ROWS_AT_ONCE, min(side.found[0], (task + 1) * ROWS_AT_ONCE)


@compiled(hot=True)
def _project_rows(side, dense, task, step, adam):
    begin, end = _rows(side, task)
    for slot in range(begin, end):
        optimiser.coast_row(side, side.rows[slot], step, adam)
    tables.project(side, dense, begin, end)


@compiled(hot=True)
def _work_on_pairs(counter, users, items, block, blocks, dense, scratch, loss, thread):
    """Works on the pairs of a block, if there is one left, and then collects the gradients of the block before.

    Collecting is many small tasks, with which the threads end at about the same time.
    """
    lanes = LANES if block < blocks else 0
    user_tasks, item_tasks = (_row_tasks(users), _row_tasks(items)) if block > 0 else (0, 0)
    task = next_task(counter)
    while task < lanes + user_tasks + item_tasks:
        if task < lanes:
            _work_on_lane(users, items, block, blocks, dense, scratch, loss, task, thread)
        elif task < lanes + user_tasks:
            _collect_gradients(users, items, block - 1, blocks, dense, scratch, task - lanes)
        else:
            _collect_gradients(items, users, block - 1, blocks, dense, scratch, task - lanes - user_tasks)
        task = next_task(counter)


@compiled(hot=True)
def _work_on_lane(users, items, block, blocks, dense, scratch, loss, lane, thread):
    first, end = _pairs(users, block, blocks)
    begin, end = first + (end - first) * lane // LANES, first + (end - first) * (lane + 1) // LANES
    towers.loss_and_gradients(users, items, block, first, begin, end, dense, scratch, loss, lane, thread)


@compiled(hot=True)
def _collect_gradients(side, other, block, blocks, dense, scratch, task):
    first, end = _pairs(side, block, blocks)
    errors, hidden_gradient = scratch.errors[block % 2], scratch.hidden_gradient[block % 2]
    begin_slot, end_slot = _rows(side, task)
    tables.collect_gradients(side, other, dense.factors, first, end, errors, hidden_gradient, begin_slot, end_slot)


@compiled(hot=True)
def _pairs(side, block, blocks):
    pairs = len(side.slots)
    return pairs * block // blocks, pairs * (block + 1) // blocks


@compiled(hot=True)
def _project_back(counter, users, items, dense, pairs, adam, spare):
    lane = next_task(counter)
    while lane < LANES:
        _project_lane_back(users, dense, adam.l2, pairs, lane, spare)
        _project_lane_back(items, dense, adam.l2, pairs, lane, spare)
        begin, end = _rows_of_lane(users, lane)
        tables.add_bias_gradient(users, dense, lane, begin, end)
        lane = next_task(counter)


@compiled(hot=True)
def _rows_of_lane(side, lane):
    return side.found[0] * lane // LANES, side.found[0] * (lane + 1) // LANES


@compiled(hot=True)
def _project_lane_back(side, dense, l2, pairs, lane, spare):
    begin, end = _rows_of_lane(side, lane)
    for slot in range(begin, end, ROWS_AT_ONCE):
        tables.project_back(side, dense, lane, l2, pairs, slot, min(end, slot + ROWS_AT_ONCE), spare)


@compiled(hot=True)
def _move(counter, users, items, dense, scratch, step, adam, losses, pairs):
    user_tasks, item_tasks = _row_tasks(users), _row_tasks(items)
    task = next_task(counter)
    while task < 1 + user_tasks + item_tasks:
        if task == 0:
            optimiser.move_weights(dense, step, adam)
            losses[step] = towers.total_loss(scratch) / pairs
        elif task <= user_tasks:
            _move_rows(users, task - 1, step, adam)
        else:
            _move_rows(items, task - 1 - user_tasks, step, adam)
        task = next_task(counter)


@compiled(hot=True)
def _move_rows(side, task, step, adam):
    begin, end = _rows(side, task)
    optimiser.move_slots(side, begin, end, step, adam)


@compiled(hot=True)
def _coast(counter, users, items, steps, adam):
    task = next_task(counter)
    while task < 2 * LANES:
        if task < LANES:
            _coast_lane(users, task, steps, adam)
        else:
            _coast_lane(items, task - LANES, steps, adam)
        task = next_task(counter)


@compiled(hot=True)
def _coast_lane(side, lane, steps, adam):
    rows = len(side.done)
    for row in range(rows * lane // LANES, rows * (lane + 1) // LANES):
        optimiser.coast_row(side, row, steps, adam)
