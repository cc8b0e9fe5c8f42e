"""Matrix factorisation by alternating least squares."""

from typing import ClassVar

from pydantic import Field

from components.evaluator.baselines.base import Baseline, Training
from components.shared.progress import Bar
from components.shared.scorer import Scorer


class AlternatingLeastSquares(Baseline):
    """Fits factors of users and items (Hu, Koren and Volinsky, ICDM 2008)."""

    title: ClassVar[str] = "implicit ALS"
    label: ClassVar[str] = "ALS"
    about: ClassVar[str] = (
        "matrix factorisation by alternating least squares (Hu, Koren and Volinsky, ICDM 2008). Well tuned, it is as "
        "accurate as neural models (Rendle et al., RecSys 2022); the defaults give HR@10 .73 on the NCF paper's ml-1m"
    )

    als_factors: int = Field(128, ge=1, description="Width of the vectors of ALS.")
    als_iterations: int = Field(10, ge=1, description="Iterations of ALS; each solves for all users and all items.")
    als_regularization: float = Field(
        0.009,
        gt=0,
        allow_inf_nan=False,
        description="L2 of ALS as a multiple of the average weight that a user or item has in the loss, so that one "
        "value suits data of any size (Rendle et al., RecSys 2022, scale by each one's own weight: .007 on ml-1m).",
    )
    als_unobserved_weight: float = Field(
        0.15,
        gt=0,
        le=1,
        description="Weight in the loss of ALS of a pair without interaction, where one with it has 1.",
    )

    def steps(self, training: Training) -> int:
        """See `Baseline`."""
        return self.als_iterations

    def fit(self, training: Training, bar: Bar) -> Scorer:
        """See `Baseline`."""
        # Slow to import, and the configuration reads this class for its keys alone.
        from components.shared.als import AlsSettings, fit_als

        settings = AlsSettings(
            self.als_factors, self.als_iterations, self.als_regularization, self.als_unobserved_weight
        )
        return fit_als(*training.pairs, (training.users, training.items), settings, training.seed, bar)
