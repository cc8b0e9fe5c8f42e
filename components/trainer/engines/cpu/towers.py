"""Loss and gradients of the pairs of a batch, from their projected rows: the GMF product, the MLP tower, the head."""

# The compiler infers the types.
# mypy: disable-error-code="no-untyped-def,assignment"

import numpy as np

from components.kernels.compiling import compiled
from components.kernels.memory import ROWS_AHEAD, ask_for
from components.kernels.products import add_product_of_columns, masked_product, pack, rectified_product
from components.trainer.engines.cpu.losses import loss_and_derivative
from components.trainer.engines.cpu.state import AT, BACK, DEPTH, PANELS, WIDTH
from components.trainer.engines.cpu.tables import collect_gradients

_0 = np.float32(0)


@compiled(hot=True)
def total_loss(scratch):
    """The sum of a batch's losses, which begin anew."""
    total = 0.0
    for lane in range(len(scratch.losses)):
        total += scratch.losses[lane]
        scratch.losses[lane] = 0
    return total


@compiled(hot=True)
def pack_kernel(dense, number):
    """Packs one of the kernels, and its transpose."""
    at, depth, width = dense.kernels[number, AT], dense.kernels[number, DEPTH], dense.kernels[number, WIDTH]
    kernel = dense.weights.value[at : at + depth * width].reshape(depth, width)
    pack(kernel, dense.panels[dense.kernels[number, PANELS] :])
    pack(kernel.T, dense.panels[dense.kernels[number, BACK] :])


@compiled(hot=True)
def loss_and_gradients(users, items, block, first, begin, end, dense, scratch, loss, lane, thread):
    """Adds up the loss of one lane's pairs, and the gradients of all but the tables and the first layer.

    Args:
      users: the `Side` of users, projected.
      items: the `Side` of items, projected.
      block: the number of the block.
      first: its first pair.
      begin: the lane's first pair.
      end: behind its last one.
      dense: the weights.
      scratch: room for the block, and for the lane.
      loss: the `Loss`.
      lane: whose gradients and losses they are.
      thread: whose scratch is used.
    """
    pairs, factors, layers = end - begin, dense.factors, len(dense.widths)
    errors = scratch.errors[block % 2, begin - first : end - first]
    hidden_gradient = scratch.hidden_gradient[block % 2, begin - first : end - first]
    activations, features = scratch.activations[thread], scratch.features[thread, :pairs]
    head, of_head = dense.weights.value[dense.head_at :], dense.gradients[lane, dense.head_at :]
    user_slots, item_slots = users.slots[begin:end], items.slots[begin:end]

    if layers > 1:
        width = dense.widths[0]
        values = activations[: pairs * width].reshape(pairs, width)
        _combine(user_slots, item_slots, users.projected, items.projected, factors, features, values, 0)
        _forward(dense, activations, features)
    else:
        _combine(user_slots, item_slots, users.projected, items.projected, factors, features, features, factors)
    _logits(features, head, errors)
    share = np.float32(1 / len(scratch.labels))
    scratch.losses[lane] += _loss_and_errors(loss, scratch.labels[begin:end], share, errors)
    _head_gradient(features, errors, of_head)
    if layers:
        deltas, spare = scratch.deltas[thread], scratch.panels[thread]
        _backward(dense, lane, errors, activations, features, deltas, hidden_gradient, spare)
    # While the gradients are in the cache. Users with pairs in other lanes follow later, as items do.
    if pairs:
        first_slot, end_slot = user_slots[0], user_slots[-1] + 1
        first_slot += users.begins[first_slot] < begin
        end_slot -= users.begins[end_slot] > end
        collect_gradients(users, items, factors, begin, end, errors, hidden_gradient, first_slot, end_slot)


@compiled(hot=True)
def _forward(dense, activations, features):
    """Fills in the activations of the second layer and on, which follow the first one's; the last are features."""
    pairs, begin = len(features), 0  # begin: of the activations before the layer
    for number in range(2, len(dense.kernels)):
        at, depth, width = dense.kernels[number, AT], dense.kernels[number, DEPTH], dense.kernels[number, WIDTH]
        inputs = activations[begin : begin + pairs * depth].reshape(pairs, depth)
        panels = dense.panels[dense.kernels[number, PANELS] :]
        bias = dense.weights.value[at + depth * width : at + (depth + 1) * width]
        begin += pairs * depth
        if number == len(dense.kernels) - 1:
            rectified_product(inputs, panels, bias, features[:, dense.factors :])
        else:
            outputs = activations[begin : begin + pairs * width].reshape(pairs, width)
            rectified_product(inputs, panels, bias, outputs)


@compiled(hot=True)
def _backward(dense, lane, errors, activations, features, deltas, hidden_gradient, spare):
    """Goes back through the layers, whose gradients before their activation alternate between the two `deltas`."""
    pairs, last = len(features), len(dense.kernels) - 1
    width = dense.kernels[last, WIDTH]
    delta = hidden_gradient if last == 1 else deltas[last % 2, : pairs * width].reshape(pairs, width)
    mlp_head = dense.weights.value[dense.head_at + dense.factors :]
    _last_delta(features, dense.factors, mlp_head, errors, delta)
    begin = pairs * (dense.widths.sum() - width)  # of the activations before the layer
    for number in range(last, 1, -1):
        at, depth, width = dense.kernels[number, AT], dense.kernels[number, DEPTH], dense.kernels[number, WIDTH]
        panels, gradients = dense.panels[dense.kernels[number, BACK] :], dense.gradients[lane]
        begin -= pairs * depth
        inputs = activations[begin : begin + pairs * depth].reshape(pairs, depth)
        of_inputs = hidden_gradient if number == 2 else deltas[(number - 1) % 2, : pairs * depth].reshape(pairs, depth)
        of_bias = at + depth * width
        add_product_of_columns(inputs, delta, spare, gradients[at:of_bias].reshape(depth, width))
        _add_rows(delta, gradients[of_bias : of_bias + width])
        masked_product(delta, panels, inputs, of_inputs)
        delta = of_inputs


@compiled(hot=True)
def _combine(user_slots, item_slots, user_projected, item_projected, factors, features, first_layer, first_layer_at):
    # Rows are cut from whole arrays: only of those does the compiler know that their values stand side by side.
    for pair in range(len(user_slots)):
        ask_for(item_projected[item_slots[min(pair + ROWS_AHEAD, len(item_slots) - 1)]])
        user, item = user_projected[user_slots[pair]], item_projected[item_slots[pair]]
        row = features[pair, :factors]
        for k in range(len(row)):
            row[k] = user[k] * item[k]
        row, of_user, of_item = first_layer[pair, first_layer_at:], user[factors:], item[factors:]
        for k in range(len(row)):
            row[k] = max(of_user[k] + of_item[k], _0)


@compiled(hot=True)
def _logits(features, head, logits):
    bias = head[-1]
    for pair in range(len(logits)):
        row, logit = features[pair], _0
        for k in range(len(row)):
            logit += row[k] * head[k]
        logits[pair] = logit + bias


@compiled(hot=True)
def _loss_and_errors(loss, labels, share, logits):
    """The sum of losses; logits become the gradients of their share in it."""
    total = 0.0
    for pair in range(len(labels)):
        of_pair, derivative = loss_and_derivative(loss, logits[pair], labels[pair])
        total += of_pair
        logits[pair] = derivative * share
    return total


@compiled(hot=True)
def _head_gradient(features, errors, gradient):
    of_bias = _0
    for pair in range(len(errors)):
        row, error = features[pair], errors[pair]
        for k in range(len(row)):
            gradient[k] += error * row[k]
        of_bias += error
    gradient[-1] += of_bias


@compiled(hot=True)
def _last_delta(features, factors, mlp_head, errors, delta):
    for pair in range(len(errors)):
        error, row, out = errors[pair], features[pair, factors:], delta[pair]
        for k in range(len(row)):
            out[k] = error * mlp_head[k] if row[k] > _0 else _0


@compiled(hot=True)
def _add_rows(values, total):
    for pair in range(len(values)):
        row = values[pair]
        for k in range(len(row)):
            total[k] += row[k]
