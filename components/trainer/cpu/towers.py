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
    user_slots, item_slots = users.slots[begin:end], items.slots[begin:end]
    errors = scratch.errors[begin - first : end - first]
    hidden_gradient = scratch.hidden_gradient[begin - first : end - first]
    activations = scratch.activations[lane]
    factors, widths, layers = dense.factors, dense.widths, len(dense.widths)
    width, last_width = (widths[0], widths[-1]) if layers else (0, 0)
    bias_at, head_at = 2 * dense.half * width, len(dense.moving) - 1 - last_width - factors
    mlp, of_mlp = dense.weights.value[bias_at:head_at], dense.gradients[lane, bias_at:head_at]
    head, of_head = dense.weights.value[head_at:], dense.gradients[lane, head_at:]
    pairs = end - begin

    values = activations[: pairs * width].reshape(pairs, width)
    _first_layer(user_slots, item_slots, users.projected, items.projected, factors, mlp[:width], values)
    last = _forward(pairs, widths, mlp, activations)
    _logits(user_slots, item_slots, users.projected, items.projected, factors, last, head, errors)
    scratch.losses[lane] += _loss_and_errors(label[begin:end], np.float32(1 / len(label)), errors)
    _head_gradient(user_slots, item_slots, users.projected, items.projected, factors, last, errors, of_head)
    if layers:
        _backward(
            pairs, widths, mlp, head[factors:], errors, activations, scratch.deltas[lane], hidden_gradient, of_mlp
        )


@compiled
def _forward(pairs, widths, mlp, activations):
    """Fills in the activations of the second layer and on, which follow the first one's; returns the last layer's."""
    at, begin, before = 0, 0, 0  # of the layer's weights, and the activations before it
    for layer in range(len(widths)):
        after = widths[layer]
        if layer > 0:
            inputs = activations[begin : begin + pairs * before].reshape(pairs, before)
            begin += pairs * before
            outputs = activations[begin : begin + pairs * after].reshape(pairs, after)
            product(inputs, mlp[at : at + before * after].reshape(before, after), outputs, _0)
            at += before * after
            _add_bias_and_rectify(outputs, mlp[at : at + after])
        at += after
        before = after
    return activations[begin : begin + pairs * before].reshape(pairs, before)


@compiled
def _backward(pairs, widths, mlp, mlp_head, errors, activations, deltas, hidden_gradient, of_mlp):
    """Goes back through the layers, whose gradients before their activation alternate between the two `deltas`."""
    at, begin = len(mlp), pairs * widths.sum()
    delta = hidden_gradient
    for layer in range(len(widths) - 1, -1, -1):
        after = widths[layer]
        begin -= pairs * after
        outputs = activations[begin : begin + pairs * after].reshape(pairs, after)
        of_outputs = hidden_gradient if layer == 0 else deltas[layer % 2, : pairs * after].reshape(pairs, after)
        if layer == len(widths) - 1:
            _last_delta(outputs, mlp_head, errors, of_outputs)
        else:
            next_width = widths[layer + 1]
            kernel = slice(at, at + after * next_width)
            product_of_columns(outputs, delta, of_mlp[kernel].reshape(after, next_width), _1)
            product_of_rows(delta, mlp[kernel].reshape(after, next_width), of_outputs, _0)
            _mask(of_outputs, outputs)
        at -= after
        _add_rows(of_outputs, of_mlp[at : at + after])
        if layer > 0:
            at -= widths[layer - 1] * after
        delta = of_outputs


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
