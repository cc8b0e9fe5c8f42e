"""What model to train, and how (`trainer`)."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from components.parameters import Section

Width = Annotated[int, Field(ge=1)]


class TrainerConfig(Section):
    """NeuMF (He et al., Neural Collaborative Filtering, WWW 2017) and its training."""

    num_factors: int = Field(16, ge=0, description="Width of the GMF tower's embeddings; 0 leaves the MLP tower alone.")
    layers: tuple[Width, ...] = Field(
        (64, 32, 16, 8),
        description="Widths of the MLP tower: first the two embeddings of a pair side by side (so an even number), "
        "then each layer. None at all leaves the GMF tower alone.",
    )
    embedding_stddev: float = Field(0.01, gt=0, description="Standard deviation of the embeddings' initial values.")
    batch_size: int = Field(2048, ge=1, description="Rows in a training step; the examples are cut for it.")
    epochs: int = Field(20, ge=1, description="At most so many; the best one on validation is exported.")
    learning_rate: float = Field(0.001, gt=0, description="Of Adam.")
    beta_1: float = Field(0.9, ge=0, lt=1, description="Adam's decay of the mean of gradients.")
    beta_2: float = Field(0.999, ge=0, lt=1, description="Adam's decay of the mean of squared gradients.")
    epsilon: float = Field(1e-8, gt=0, description="Adam's guard against division by zero.")
    metric: Literal["hr", "ndcg"] = Field(
        "ndcg", description="Which validation metric, HR@10 or NDCG@10, chooses the epoch and stops early."
    )
    early_stopping_patience: int | None = Field(
        5, ge=1, description="Stop after so many epochs without a better metric; null trains all epochs."
    )
    hr_threshold: float | None = Field(
        None, gt=0, le=1, description="Stop as soon as HR@10 on validation reaches it, as MLPerf does."
    )
    steps_per_call: int = Field(
        64, ge=1, description="Training steps in one call of the compiled loop; the result does not depend on it."
    )

    @model_validator(mode="after")
    def _check_towers(self) -> Self:
        if len(self.layers) == 1:
            raise ValueError(
                "layers needs at least two widths (embeddings, then a layer), or none to leave the MLP out"
            )
        if self.layers and self.layers[0] % 2:
            raise ValueError(f"layers[0] must be even, half for the user and half for the item; got {self.layers[0]}")
        if not self.layers and not self.num_factors:
            raise ValueError("num_factors is 0 and layers is empty: no tower is left")
        return self
