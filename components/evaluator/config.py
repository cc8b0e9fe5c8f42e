"""The `evaluator` section of the configuration."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from components.shared.parameters import Section

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
    count_positive_among_negatives: bool = Field(
        False,
        description="Where the held-out item is listed among its own negatives (156 users of the NCF paper's ml-1m "
        "files): false drops it from them, as the paper's scorer does; true takes it for a rival. The difference is "
        "reported either way.",
    )
    confidence: float = Field(
        0.95, gt=0, lt=1, description="Of the intervals beside the metrics (paired bootstrap over users)."
    )
    bootstrap_samples: int = Field(1000, ge=1, le=1_000_000, description="Resamples of the users for the intervals.")
    als: bool = Field(
        True,
        description="Fit and measure a second baseline besides item popularity: matrix factorisation by alternating "
        "least squares (Hu, Koren and Volinsky, ICDM 2008). The defaults give HR@10 .73 on the NCF paper's ml-1m.",
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
    minimum_hr: Share | None = Field(None, description="Least HR@gate_k on the sampled test records.")
    minimum_ndcg: Share | None = Field(None, description="Least NDCG@gate_k on the sampled test records.")
    better_than_popularity: bool = Field(
        True, description="HR and NDCG at gate_k on the sampled test records must be above those of item popularity."
    )
    popularity_margin: Share = Field(0.0, description="By how much they must be above popularity's.")
    better_than_als: bool = Field(
        False,
        description="HR and NDCG at gate_k on the sampled test records must be above those of ALS. Off by default: a "
        "tuned ALS is a strong baseline (Rendle et al., RecSys 2022), which not every useful model beats.",
    )
    als_margin: Share = Field(0.0, description="By how much they must be above those of ALS.")
    minimum_coverage: Share | None = Field(
        None, description="Least share of all items that is in the top gate_k of at least one test user."
    )
    champion_margin: Share | None = Field(
        0.03,
        description="By how much HR and NDCG at gate_k may be below those of the champion, the newest version in the "
        "push destination, on the test users and candidates that both models know: the one-sided lower confidence "
        "bound of the paired difference must be at least minus this. The default leaves room for the interval of an "
        "equal model (about 0.01 below zero on 6,000 users) and for the noise between seeds (0.003).",
    )
    champion_confidence: float = Field(
        0.95,
        ge=0.5,
        lt=1,
        description="Confidence of that bound (paired bootstrap over users); 0.5 judges the difference itself.",
    )
    slice_margin: Share | None = Field(
        None,
        description="By how much HR and NDCG at gate_k may be below the champion's in the quartile of users (by "
        "activity) or of held-out items (by popularity) that lost most. Compares means: leave room for few users.",
    )
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

    @model_validator(mode="after")
    def _check_als(self) -> Self:
        if self.better_than_als and not self.als:
            raise ValueError("better_than_als needs als: true")
        return self
