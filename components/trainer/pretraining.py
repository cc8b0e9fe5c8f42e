"""Where a training starts: towers trained alone before, or factors found by alternating least squares."""

from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.optimize
import scipy.special

from components.artifacts.interactions import Pairs
from components.shared.als import AlsSettings, fit_als
from components.shared.progress import Bar
from components.trainer.data import Examples
from components.trainer.model import NeuMF
from components.trainer.settings import Settings

_Columns = list[npt.NDArray[Any]]

TOWERS = ("gmf", "mlp")
_SAMPLE = 1 << 18  # rows that calibrate the scores of ALS


def tower_config(config: Settings, tower: str) -> Settings:
    """The configuration of the training of one of `TOWERS`."""
    alone: dict[str, object] = {"layers": ()} if tower == "gmf" else {"num_factors": 0}
    return config.model_copy(
        update={
            **alone,
            "pretraining": "als" if tower == "gmf" and config.pretraining == "als_towers" else "none",
            "epochs": config.pretraining_epochs,
            "learning_rate": config.pretraining_learning_rate,
        }
    )


def fuse(model: NeuMF, gmf: NeuMF, mlp: NeuMF, gmf_share: float) -> None:
    """Starts a model from its towers, trained alone: its logits are a weighted mean of theirs.

    See He et al., WWW 2017, equation 13, where the share is 1/2.
    """
    for name in ("user_table", "item_table"):
        getattr(model, name).assign(np.concatenate([getattr(gmf, name), getattr(mlp, name)], axis=1))
    model.first_kernel.assign(mlp.first_kernel)
    model.first_bias.assign(mlp.first_bias)
    for layer, trained in zip(model.dense_layers, mlp.dense_layers, strict=True):
        layer.set_weights(trained.get_weights())
    shares = ((gmf, gmf_share), (mlp, 1 - gmf_share))
    model.head_kernel.assign(np.concatenate([share * np.asarray(tower.head_kernel) for tower, share in shares]))
    model.head_bias.assign(sum(share * np.asarray(tower.head_bias) for tower, share in shares))


def start_from_als(
    model: NeuMF, examples: Examples, config: Settings, seed: int, bar: Bar, train: Pairs | None = None
) -> None:
    """Starts the GMF tower of a model from the factors of ALS on the training interactions.

    Factors are scaled so that their product is a log-odds: a head of ones goes with them.

    Args:
      model: the model; its MLP tower stays as it is.
      examples: what is trained on; the first epoch holds each training interaction, a few of them twice, to fill its
        last batch.
      config: the settings of ALS.
      seed: what the factors' initial values are drawn from.
      bar: moves on by one for each iteration.
      train: the interactions to fit, in place of those of the examples.
    """
    (users, items), (user, item, label) = _positives_and_sample(examples)
    if train is not None:
        users, items = train
    settings = AlsSettings(
        model.num_factors, config.als_iterations, config.als_regularization, config.als_unobserved_weight
    )
    als = fit_als(users, items, (examples.summary.users, examples.summary.items), settings, seed, bar)
    scores = np.einsum("nf,nf->n", als.user_factors[user], als.item_factors[item])
    scale, bias = log_odds(scores, label)
    width = model.num_factors
    for table, factors in ((model.user_table, als.user_factors), (model.item_table, als.item_factors)):
        values = np.array(table)
        values[:, :width] = factors * np.sqrt(scale)
        table.assign(values)
    head = np.array(model.head_kernel)
    head[:width] = 1
    model.head_kernel.assign(head)
    model.head_bias.assign([bias])


def _positives_and_sample(examples: Examples) -> tuple[_Columns, _Columns]:
    """Users and items of all positives; users, items and labels of the first rows, a uniform sample of all."""
    positives: list[tuple[npt.NDArray[Any], ...]] = []
    sample: list[tuple[npt.NDArray[Any], ...]] = []
    sampled = 0
    for user, item, label in examples.training_rows(0):
        positives.append((user[label == 1], item[label == 1]))
        if sampled < _SAMPLE:
            sample.append((user, item, label))
            sampled += len(user)
    return _columns(positives), _columns(sample)


def _columns(parts: list[tuple[npt.NDArray[Any], ...]]) -> _Columns:
    return [np.concatenate(column) for column in zip(*parts, strict=True)]


def log_odds(scores: npt.NDArray[np.floating], label: npt.NDArray[np.uint8]) -> tuple[float, float]:
    """Scale and bias that make scores the log-odds of labels (Platt, Probabilistic Outputs for SVMs, 1999).

    Args:
      scores: floats [n], higher for positives.
      label: uint8 [n], 0 or 1.
    """
    # Platt's targets: a little inside 0 and 1, so that the scale stays finite where scores separate the labels.
    positives, negatives = label.sum(), (1 - label.astype("f8")).sum()
    target = np.where(label == 1, (positives + 1) / (positives + 2), 1 / (negatives + 2))

    def loss_and_gradient(scale_and_bias: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        logits = scale_and_bias[0] * scores + scale_and_bias[1]
        loss = np.mean(np.logaddexp(0, logits) - target * logits)
        error = scipy.special.expit(logits) - target
        return float(loss), np.array([np.mean(error * scores), np.mean(error)])

    found = scipy.optimize.minimize(loss_and_gradient, np.array([1.0, 0.0]), jac=True, method="BFGS")
    return float(found.x[0]), float(found.x[1])
