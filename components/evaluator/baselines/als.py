"""Matrix factorisation by alternating least squares."""

from typing import Annotated, ClassVar, Self

from pydantic import Field

from components.evaluator.baselines.base import AUTO, Training
from components.evaluator.baselines.tuned import TunedBaseline
from components.shared.parameters import Auto
from components.shared.progress import Bar
from components.shared.scorer import Scorer


class AlternatingLeastSquares(TunedBaseline):
    """Fits factors of users and items (Hu, Koren and Volinsky, ICDM 2008)."""

    title: ClassVar[str] = "implicit ALS"
    label: ClassVar[str] = "ALS"
    about: ClassVar[str] = (
        "matrix factorisation by alternating least squares (Hu, Koren and Volinsky, ICDM 2008). Well tuned, it is as "
        "accurate as neural models (Rendle et al., RecSys 2022)"
    )
    grid: ClassVar = {
        "als_unobserved_weight": (0.005, 0.015, 0.05, 0.15, 0.45),
        "als_regularization": (0.001, 0.003, 0.009, 0.03, 0.09),
        "als_factors": (64, 128, 192),
    }
    usual: ClassVar = {"als_unobserved_weight": 0.15, "als_regularization": 0.009, "als_factors": 128}

    als_factors: Annotated[int, Field(ge=1)] | Auto = Field(
        AUTO, description="Width of the vectors of ALS. auto: the best of 64, 128 and 192 on validation."
    )
    als_iterations: int = Field(10, ge=1, description="Iterations of ALS; each solves for all users and all items.")
    als_regularization: Annotated[float, Field(gt=0, allow_inf_nan=False)] | Auto = Field(
        AUTO,
        description="L2 of ALS as a multiple of the average weight that a user or item has in the loss, so that one "
        "value suits data of any size (Rendle et al., RecSys 2022, scale by each one's own weight: .007 on ml-1m). "
        "auto: the best of 0.001 to 0.09 on validation.",
    )
    als_unobserved_weight: Annotated[float, Field(gt=0, le=1)] | Auto = Field(
        AUTO,
        description="Weight in the loss of ALS of a pair without interaction, where one with it has 1. auto: the best "
        "of 0.005 to 0.45 on validation.",
    )

    def rehearsing(self) -> Self:
        """See `TunedBaseline`; more iterations change the figures, but hardly which of them is the best."""
        return self.model_copy(update={"als_iterations": min(self.als_iterations, 6)})

    def steps(self, training: Training) -> int:
        """See `Baseline`."""
        return self.als_iterations

    def fit(self, training: Training, bar: Bar) -> Scorer:
        """See `Baseline`."""
        # Slow to import, and the configuration reads this class for its keys alone.
        from components.shared.als import AlsSettings, fit_als

        settings = AlsSettings(
            factors=int(self.value("als_factors")),
            iterations=self.als_iterations,
            regularization=self.value("als_regularization"),
            unobserved_weight=self.value("als_unobserved_weight"),
        )
        return fit_als(*training.pairs, (training.users, training.items), settings, training.seed, bar)
