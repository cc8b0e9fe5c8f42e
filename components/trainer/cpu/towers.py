"""Loss and gradients of the pairs of a batch, from their projected rows: the GMF product, the MLP tower, the head."""

# The compiler infers the types.
# mypy: disable-error-code="no-untyped-def,assignment"

import numpy as np

from components.trainer.cpu.blas import product, product_of_columns, product_of_rows
from components.trainer.cpu.compiling import compiled

_0, _1 = np.float32(0), np.float32(1)


@compiled
def first_kernels(dense, values):
    """The users' and the items' share of the first layer's kernel, [half, width] each, in weights or gradients [w]."""
    half = dense.half
    width = dense.widths[0] if len(dense.widths) else 0
    size = half * width
    return values[:size].reshape(half, width), values[size : 2 * size].reshape(half, width)


@compiled
def gmf_head(dense):
    """The head's weights [factors] of the GMF tower."""
    last_width = dense.widths[-1] if len(dense.widths) else 0
    begin = len(dense.weights.value) - 1 - last_width - dense.factors
    return dense.weights.value[begin : begin + dense.factors]


@compiled
def total_loss(scratch):
    """The sum of a batch's losses, which begin anew."""
    total = 0.0
    for lane in range(len(scratch.losses)):
        total += scratch.losses[lane]
        scratch.losses[lane] = 0
    return total


@compiled
def loss_and_gradients(users, items, label, first, begin, end, dense, scratch, lane):
    """Adds up the loss of one lane's pairs, and the gradients of all but the tables.

    Args:
      users: the `Side` of users, projected.
      items: the `Side` of items, projected.
      label: uint8 [B].
      first: the first pair of the block that `scratch` is for.
      begin: the lane's first pair.
      end: behind its last one.
      dense: the weights.
      scratch: where errors and hidden gradients go.
      lane: whose gradients, losses and scratch they are.
    """
    user_slots, item_slots, label = users.slots[begin:end], items.slots[begin:end], label[begin:end]
    user_projected, item_projected = users.projected, items.projected
    errors, hidden_gradient = scratch.errors[begin - first :], scratch.hidden_gradient[begin - first :]
    errors = errors[: end - begin]
    activations, deltas = scratch.activations[lane], scratch.deltas[lane]
    factors, widths = dense.factors, dense.widths
    share = np.float32(1 / len(users.slots))
    begin_of_bias = 2 * dense.half * widths[0] if len(widths) else 0
    weights, gradients = dense.weights.value[begin_of_bias:], dense.gradients[lane, begin_of_bias:]
    pairs, layers = len(label), len(widths)
    width = widths[0] if layers else 0
    last_width = widths[-1] if layers else 0
    first = activations[: pairs * width].reshape(pairs, width)
    _first_layer(user_slots, item_slots, user_projected, item_projected, factors, weights[:width], first)
    at, begin = width, 0  # of the layer's weights, and of the activations before it
    for layer in range(1, layers):
        before, after = widths[layer - 1], widths[layer]
        inputs = activations[begin : begin + pairs * before].reshape(pairs, before)
        begin += pairs * before
        outputs = activations[begin : begin + pairs * after].reshape(pairs, after)
        product(inputs, weights[at : at + before * after].reshape(before, after), outputs, _0)
        at += before * after
        _add_bias_and_rectify(outputs, weights[at : at + after])
        at += after
    last = activations[begin : begin + pairs * last_width].reshape(pairs, last_width)
    _logits(user_slots, item_slots, user_projected, item_projected, factors, last, weights[at:], errors)
    loss = _loss_and_errors(label, share, errors)
    _head_gradient(user_slots, item_slots, user_projected, item_projected, factors, last, errors, gradients[at:])
    if layers == 0:
        scratch.losses[lane] += loss
        return
    delta = hidden_gradient[:pairs] if layers == 1 else deltas[0, : pairs * last_width].reshape(pairs, last_width)
    _last_delta(last, weights[at + factors :], errors, delta)
    for layer in range(layers - 1, 0, -1):
        before, after = widths[layer - 1], widths[layer]
        at -= after
        _add_rows(delta, gradients[at : at + after])
        at -= before * after
        begin -= pairs * before
        inputs = activations[begin : begin + pairs * before].reshape(pairs, before)
        product_of_columns(inputs, delta, gradients[at : at + before * after].reshape(before, after), _1)
        side = (layers - layer) % 2
        backward = hidden_gradient[:pairs] if layer == 1 else deltas[side, : pairs * before].reshape(pairs, before)
        product_of_rows(delta, weights[at : at + before * after].reshape(before, after), backward, _0)
        _mask(backward, inputs)
        delta = backward
    _add_rows(delta, gradients[:width])
    scratch.losses[lane] += loss


@compiled
def _first_layer(user_slots, item_slots, user_projected, item_projected, factors, bias, out):
    for pair in range(len(out)):
        user, item = user_projected[user_slots[pair], factors:], item_projected[item_slots[pair], factors:]
        row = out[pair]
        for k in range(len(row)):
            row[k] = max(user[k] + item[k] + bias[k], _0)


@compiled
def _add_bias_and_rectify(values, bias):
    for row in values:
        for k in range(len(bias)):
            row[k] = max(row[k] + bias[k], _0)


@compiled
def _logits(user_slots, item_slots, user_projected, item_projected, factors, last, head, logits):
    mlp_head, bias = head[factors:-1], head[-1]
    for pair in range(len(logits)):
        user, item = user_projected[user_slots[pair], :factors], item_projected[item_slots[pair], :factors]
        logit = bias
        for k in range(factors):
            logit += user[k] * item[k] * head[k]
        row = last[pair]
        for k in range(len(mlp_head)):
            logit += row[k] * mlp_head[k]
        logits[pair] = logit


@compiled
def _loss_and_errors(label, share, logits):
    """The sum of binary cross-entropies; logits become the gradients of their share in it."""
    loss = 0.0
    for pair in range(len(label)):
        logit, target = logits[pair], np.float32(label[pair])
        decay = np.exp(-abs(logit))
        loss += max(logit, _0) - logit * target + np.log1p(decay)
        probability = (_1 if logit >= _0 else decay) / (_1 + decay)
        logits[pair] = (probability - target) * share
    return loss


@compiled
def _head_gradient(user_slots, item_slots, user_projected, item_projected, factors, last, errors, gradient):
    of_gmf, of_mlp = gradient[:factors], gradient[factors:-1]
    of_bias = _0
    for pair in range(len(errors)):
        error = errors[pair]
        user, item = user_projected[user_slots[pair], :factors], item_projected[item_slots[pair], :factors]
        for k in range(factors):
            of_gmf[k] += error * user[k] * item[k]
        row = last[pair]
        for k in range(len(of_mlp)):
            of_mlp[k] += error * row[k]
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
    for row in values:
        for k in range(len(total)):
            total[k] += row[k]


@compiled
def _mask(delta, activation):
    for pair in range(len(delta)):
        row, positive = delta[pair], activation[pair]
        for k in range(len(row)):
            row[k] = row[k] if positive[k] > _0 else _0
