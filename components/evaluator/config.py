"""The `evaluator` section of the configuration."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from components.parameters import Section

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class EvaluatorConfig(Section):
    """What is measured, and the rules a model has to hold to be blessed. A rule set to null is not asked."""

    ks: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        (1, 5, 10, 20),
        min_length=1,
        description="Lengths K of the recommended list at which HR@K and NDCG@K are given.",
    )
    gate_k: int = Field(10, ge=1, description="The K that the gate's rules look at; one of ks.")
    full_ranking_users: int | None = Field(
        None, ge=1, description="Rank all items for a seeded sample of so many test users; null takes them all."
    )
    pairs_per_block: int = Field(
        1 << 18, ge=1, description="User-item pairs scored at once while ranking all items; this bounds the memory."
    )
    minimum_hr: Share | None = Field(None, description="Least HR@gate_k on the sampled test records.")
    minimum_ndcg: Share | None = Field(None, description="Least NDCG@gate_k on the sampled test records.")
    better_than_popularity: bool = Field(
        True, description="HR and NDCG at gate_k on the sampled test records must be above those of item popularity."
    )
    popularity_margin: Share = Field(0.0, description="By how much they must be above popularity's.")
    finite: bool = Field(True, description="Every score and every metric must be a finite number.")
    minimum_test_users: int = Field(100, ge=1, description="Fewer test users than these prove nothing.")
    serving_tolerance: float | None = Field(
        1e-4,
        gt=0,
        allow_inf_nan=False,
        description="Greatest difference between the served scores of raw ids and those that the metrics come from, "
        "relative to the user's largest score.",
    )

    @model_validator(mode="after")
    def _check_gate_k(self) -> Self:
        if self.gate_k not in self.ks:
            raise ValueError(f"gate_k is {self.gate_k}, which is not one of ks {list(self.ks)}")
        return self
