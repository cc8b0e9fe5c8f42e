"""Binary cross-entropy: -y log(p) - (1 - y) log(1 - p), for p = 1 / (1 + exp(-z)) and a logit z.

It is the paper's loss (He et al., WWW 2017, equation 7), which makes the logit a log-odds.
"""

import numpy as np

from components.trainer.losses.base import Loss, Scalar, Tensor

_0, _1 = np.float32(0), np.float32(1)


def of_logits(logits: Tensor, labels: Tensor) -> Tensor:
    """The loss of each pair; see `Loss`."""
    from keras import ops  # here, as the configuration reads the names of the losses without Keras

    return ops.binary_crossentropy(labels, logits, from_logits=True)


def compiled_form(logit: Scalar, label: Scalar) -> tuple[Scalar, Scalar]:
    """The loss, as max(z, 0) - z y + log(1 + exp(-|z|)), which cannot overflow, and its derivative p - y.

    Example:
      >>> loss, derivative = compiled_form(np.float32(0), np.float32(1))
      >>> f"{loss:.4f} {derivative:.4f}"
      '0.6931 -0.5000'
    """
    decay = np.exp(-abs(logit))
    loss = max(logit, _0) - logit * label + np.log1p(decay)
    return loss, (_1 if logit >= _0 else decay) / (_1 + decay) - label


BINARY_CROSS_ENTROPY = Loss(of_logits, compiled_form)
