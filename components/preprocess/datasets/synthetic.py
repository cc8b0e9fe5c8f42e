"""The embedded synthetic data."""

from typing import ClassVar

from pydantic import Field

from components.preprocess.datasets.base import Dataset, Request, Unsplit


class Synthetic(Dataset):
    """Interactions drawn from planted tastes, of any size, without a download."""

    what: ClassVar[str] = "the embedded generator"

    synthetic_users: int = Field(2_000, ge=2, le=10_000_000, description="Users of the synthetic data.")
    synthetic_items: int = Field(1_000, ge=2, le=10_000_000, description="Items of the synthetic data.")
    synthetic_interactions: int = Field(150_000, ge=1, description="Interactions of the synthetic data.")

    def interactions(self, request: Request) -> Unsplit:
        from components.preprocess.datasets import synthetic_generator as generator

        config = generator.SyntheticConfig(self.synthetic_users, self.synthetic_items, self.synthetic_interactions)
        # By the number of negatives that a test item is ranked against, which is not this step's to choose.
        best = {
            str(number): generator.best_possible_hr(config, request.seed, num_negatives=number) for number in (99, 999)
        }
        return Unsplit("synthetic", generator.pieces(config, request.seed), timed=True, best_possible_hr=best)
