"""Loss and gradients of the pairs of a batch, from their projected rows: the GMF product, the MLP tower, the head."""

# The compiler infers the types.
# mypy: disable-error-code="no-untyped-def,assignment"

import numpy as np

from components.trainer.cpu.blas import product, product_of_columns, product_of_rows
from components.trainer.cpu.compiling import compiled
from components.trainer.cpu.tables import collect_gradients

_0, _1 = np.float32(0), np.float32(1)


@compiled
def total_loss(scratch):
    """The sum of a batch's losses, which begin anew."""
    total = 0.0
    for lane in range(len(scratch.losses)):
        total += scratch.losses[lane]
        scratch.losses[lane] = 0
    return total


@compiled
def loss_and_gradients(users, items, first, begin, end, dense, scratch, block_errors, block_hidden, lane, thread):
    """Adds up the loss of one lane's pairs, and the gradients of all but the tables and the first layer.

    Args:
      users: the `Side` of users, projected.
      items: the `Side` of items, projected.
      first: the first pair of the block.
      begin: the lane's first pair.
      end: behind its last one.
      dense: the weights.
      scratch: room for the lane.
      block_errors: float32 [pairs of the block], where the lane's errors go.
      block_hidden: float32 [pairs of the block, width], where its hidden gradients go.
      lane: whose gradients and losses they are.
      thread: whose scratch is used.
    """
    pairs, factors, layers = end - begin, dense.factors, len(dense.widths)
    errors, hidden_gradient = block_errors[begin - first : end - first], block_hidden[begin - first : end - first]
    activations, features = scratch.activations[thread], scratch.features[thread, :pairs]
    head, of_head = dense.weights.value[dense.head_at :], dense.gradients[lane, dense.head_at :]
    user_slots, item_slots = users.slots[begin:end], items.slots[begin:end]

    if layers > 1:
        width = dense.widths[0]
        values = activations[: pairs * width].reshape(pairs, width)
        _combine(user_slots, item_slots, users.projected, items.projected, features[:, :factors], values)
        _forward(dense, activations, features)
    else:
        _combine(user_slots, item_slots, users.projected, items.projected, features[:, :factors], features[:, factors:])
    _logits(features, head, errors)
    share = np.float32(1 / len(scratch.labels))
    scratch.losses[lane] += _loss_and_errors(scratch.labels[begin:end], share, errors)
    _head_gradient(features, errors, of_head)
    if layers:
        _backward(dense, lane, errors, activations, features, scratch.deltas[thread], hidden_gradient)
    # While the gradients are in the cache. Users with pairs in other lanes follow later, as items do.
    if pairs:
        for slot in range(user_slots[0], user_slots[-1] + 1):
            if begin <= users.begins[slot] and users.begins[slot + 1] <= end:
                collect_gradients(users, items, factors, begin, end, errors, hidden_gradient, slot, slot + 1)


@compiled
def _forward(dense, activations, features):
    """Fills in the activations of the second layer and on, which follow the first one's; the last are features."""
    pairs, widths, weights = len(features), dense.widths, dense.weights.value
    at, begin = dense.bias_at + widths[0], 0  # of the layer's weights, and the activations before it
    for layer in range(1, len(widths)):
        before, after = widths[layer - 1], widths[layer]
        inputs = activations[begin : begin + pairs * before].reshape(pairs, before)
        kernel = weights[at : at + before * after].reshape(before, after)
        bias = weights[at + before * after : at + (before + 1) * after]
        begin += pairs * before
        if layer == len(widths) - 1:
            product(inputs, kernel, features[:, dense.factors :], _0)
            _add_bias_and_rectify(features[:, dense.factors :], bias)
        else:
            outputs = activations[begin : begin + pairs * after].reshape(pairs, after)
            product(inputs, kernel, outputs, _0)
            _add_bias_and_rectify(outputs, bias)
        at += (before + 1) * after


@compiled
def _backward(dense, lane, errors, activations, features, deltas, hidden_gradient):
    """Goes back through the layers, whose gradients before their activation alternate between the two `deltas`."""
    pairs, widths, last = len(features), dense.widths, len(dense.widths) - 1
    weights, gradients = dense.weights.value, dense.gradients[lane]
    at, begin = dense.head_at, pairs * widths[:last].sum()
    delta = hidden_gradient if last == 0 else deltas[last % 2, : pairs * widths[last]].reshape(pairs, widths[last])
    _last_delta(features[:, dense.factors :], weights[at + dense.factors :], errors, delta)
    for layer in range(last, 0, -1):
        before, after = widths[layer - 1], widths[layer]
        at -= (before + 1) * after
        begin -= pairs * before
        kernel = slice(at, at + before * after)
        inputs = activations[begin : begin + pairs * before].reshape(pairs, before)
        of_inputs = hidden_gradient if layer == 1 else deltas[(layer - 1) % 2, : pairs * before].reshape(pairs, before)
        product_of_columns(inputs, delta, gradients[kernel].reshape(before, after), _1)
        _add_rows(delta, gradients[kernel.stop : kernel.stop + after])
        product_of_rows(delta, weights[kernel].reshape(before, after), of_inputs, _0)
        _mask(of_inputs, inputs)
        delta = of_inputs


@compiled
def _combine(user_slots, item_slots, user_projected, item_projected, product_of_factors, first_layer):
    factors = product_of_factors.shape[1]
    for pair in range(len(user_slots)):
        user, item = user_projected[user_slots[pair]], item_projected[item_slots[pair]]
        row = product_of_factors[pair]
        for k in range(len(row)):
            row[k] = user[k] * item[k]
        row = first_layer[pair]
        for k in range(len(row)):
            row[k] = max(user[factors + k] + item[factors + k], _0)


@compiled
def _add_bias_and_rectify(values, bias):
    for pair in range(len(values)):
        row = values[pair]
        for k in range(len(row)):
            row[k] = max(row[k] + bias[k], _0)


@compiled
def _logits(features, head, logits):
    bias = head[-1]
    for pair in range(len(logits)):
        row, logit = features[pair], _0
        for k in range(len(row)):
            logit += row[k] * head[k]
        logits[pair] = logit + bias


@compiled
def _loss_and_errors(labels, share, logits):
    """The sum of binary cross-entropies; logits become the gradients of their share in it."""
    loss = 0.0
    for pair in range(len(labels)):
        logit, target = logits[pair], labels[pair]
        decay = np.exp(-abs(logit))
        loss += max(logit, _0) - logit * target + np.log1p(decay)
        probability = (_1 if logit >= _0 else decay) / (_1 + decay)
        logits[pair] = (probability - target) * share
    return loss


@compiled
def _head_gradient(features, errors, gradient):
    of_bias = _0
    for pair in range(len(errors)):
        row, error = features[pair], errors[pair]
        for k in range(len(row)):
            gradient[k] += error * row[k]
        of_bias += error
    gradient[-1] += of_bias


@compiled
def _last_delta(last, mlp_head, errors, delta):
    for pair in range(len(errors)):
        error, row, out = errors[pair], last[pair], delta[pair]
        for k in range(len(row)):
            out[k] = error * mlp_head[k] if row[k] > _0 else _0


@compiled
def _add_rows(values, total):
    for pair in range(len(values)):
        row = values[pair]
        for k in range(len(row)):
            total[k] += row[k]


@compiled
def _mask(delta, activation):
    for pair in range(len(delta)):
        row, positive = delta[pair], activation[pair]
        for k in range(len(row)):
            row[k] = row[k] if positive[k] > _0 else _0
