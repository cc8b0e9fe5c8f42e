"""Binary cross-entropy, the paper's loss."""

from typing import Any

import numpy as np

from components.trainer.losses.base import Loss, Tensor

_0, _1 = np.float32(0), np.float32(1)


class BinaryCrossEntropy(Loss):
    """-y log(p) - (1 - y) log(1 - p) for p = 1 / (1 + exp(-logit)) (He et al., WWW 2017, equation 7).

    Written as max(z, 0) - z y + log(1 + exp(-|z|)) for a logit z, which never overflows. Its derivative is p - y.

    Example:
      >>> loss, derivative = BinaryCrossEntropy.loss_and_derivative(np.float32(0), np.float32(1))
      >>> round(float(loss), 4), round(float(derivative), 4)
      (0.6931, -0.5)
    """

    def of_logits(self, logits: Tensor, labels: Tensor) -> Tensor:
        from keras import ops

        return ops.binary_crossentropy(labels, logits, from_logits=True)

    @staticmethod
    def loss_and_derivative(logit: Any, label: Any) -> tuple[Any, Any]:
        decay = np.exp(-abs(logit))
        loss = max(logit, _0) - logit * label + np.log1p(decay)
        return loss, (_1 if logit >= _0 else decay) / (_1 + decay) - label
