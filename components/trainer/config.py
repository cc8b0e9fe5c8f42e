"""What model to train, and how (`trainer`)."""

from typing import TYPE_CHECKING, Annotated, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from components.metrics import METRICS
from components.shared.parameters import Auto, Section
from components.trainer.losses import LOSSES

if TYPE_CHECKING:
    LossName: TypeAlias = str
    MetricName: TypeAlias = str
else:  # what is registered is known at run time alone
    LossName = Literal[tuple(LOSSES)]
    MetricName = Literal[tuple(name.lower() for name in METRICS)]

L2 = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Width = Annotated[int, Field(ge=1)]
DeviceName = Literal["auto", "cpu", "gpu", "mirrored", "multiworker", "tpu"]
Precision = Literal["float32", "mixed_float16", "mixed_bfloat16"]


class TrainerConfig(Section):
    """NeuMF (He et al., Neural Collaborative Filtering, WWW 2017) and its training."""

    num_factors: Annotated[int, Field(ge=0)] | Auto = Field(
        "auto",
        description="Width of the GMF tower's embeddings; 0 leaves the MLP tower alone. auto: 192 from ALS up to 1 M "
        "interactions, else 64 up to 10 M, then 32.",
    )
    layers: tuple[Width, ...] = Field(
        (64, 32, 16, 8),
        description="Widths of the MLP tower: first the two embeddings of a pair side by side (so an even number), "
        "then each layer. None at all leaves the GMF tower alone.",
    )
    gmf_head: Literal["learned", "ones"] = Field(
        "learned",
        description="Weights that the head gives to the GMF tower's products. learned: as in the paper; ones: they "
        "start as ones and stay, which makes that tower plain matrix factorisation (as in Rendle et al., RecSys 2020). "
        "Learned weights can grow where L2 shrinks the embeddings, and so undo it.",
    )
    embedding_stddev: float = Field(0.01, gt=0, description="Standard deviation of the embeddings' initial values.")
    pretraining: Literal["none", "towers", "als", "als_towers"] = Field(
        "als",
        description="What training starts from, which is exported itself where no epoch ranks better on validation. "
        "none: random weights; towers: a GMF and an MLP trained alone before, "
        "then fused (He et al., WWW 2017); als: a GMF tower whose factors come from alternating least squares on the "
        "training interactions (Hu, Koren and Volinsky, ICDM 2008), beside a random MLP tower; als_towers: as towers, "
        "where the GMF that is trained alone starts as with als.",
    )
    warm_start: Literal["none", "champion"] = Field(
        "none",
        description="champion: where a pushed model carries what it was trained to, as those do that were trained with "
        "this setting, and no other one differs, training goes on from that, by raw id: its towers in closed form, "
        "their weights and the trained part are taken over, what is new is fitted to them, and there are so many of "
        "`epochs` as the share of interactions that is new, at least one. With a tenth more interactions than the "
        "towers were found in, all is found anew. none: nothing is taken over.",
    )
    pretraining_epochs: int = Field(
        20,
        ge=1,
        description="For towers trained alone: at most so many for each tower; the best one on validation is taken.",
    )
    pretraining_learning_rate: float = Field(
        0.001, gt=0, description="For towers trained alone: Adam's, for each of them."
    )
    pretraining_gmf_share: float = Field(
        0.5, gt=0, lt=1, description="For towers trained alone: share of the GMF's logits in those of the fused model."
    )
    als_iterations: int = Field(10, ge=1, description="For ALS: iterations; each solves for all users and all items.")
    als_regularization: Annotated[float, Field(gt=0, allow_inf_nan=False)] | Auto = Field(
        "auto",
        description="For ALS: L2, as a multiple of the average weight that a user or item has in the loss of ALS. "
        "auto: .009; up to 1 M interactions, where the unobserved weight is `auto` too, .003 with a quarter of that "
        "weight where ALS alone ranks better so on validation.",
    )
    als_unobserved_weight: Annotated[float, Field(gt=0, le=1)] | Auto = Field(
        "auto",
        description="For ALS: weight of a pair without interaction, where one with it has 1. auto: the root of the "
        "share of pairs that have interacted, between .005 and .5, or a quarter of that (see als_regularization).",
    )
    history_factors: Annotated[int, Field(ge=0)] | Auto = Field(
        "auto",
        description="Largest width of the tower in closed form that reads all that a user has seen, which is added to "
        "the trained model with the weight that ranks best on validation; 0 leaves it out. auto: 2,048 up to a "
        "quarter of a million interactions (3,072 of at most 6,144 users or items, and 43,690 together), 1,024 up to "
        "half a million, 512 up to 1 M, 256 up to 2 M, then 128. A narrower part is taken where that ranks better by "
        "more than a standard error.",
    )
    recent_items: Annotated[int, Field(ge=0)] | Auto = Field(
        "auto",
        description="How many of a user's latest items a second such tower reads, which knows what comes after what; 0 "
        "leaves it out. auto: 10 where the data has times, else 0.",
    )
    recent_factors: Annotated[int, Field(ge=1)] | Auto = Field(
        "auto", description="Largest width of that second tower. auto: as the first, from 256 to 1,024."
    )
    loss: LossName = Field(
        "binary_cross_entropy",
        description="Of a pair, from its logit and its label; what is served is the logit. binary_cross_entropy: as in "
        "the paper.",
    )
    batch_size: Annotated[int, Field(ge=1, le=2**31 - 1)] | Auto = Field(
        "auto",
        description="Rows in a training step; the examples are cut for it. auto: so many that an epoch has 200 to 400 "
        "steps, as a power of two between 1,024 and 16,384.",
    )
    epochs: int = Field(10, ge=1, description="At most so many; the best one on validation is exported.")
    learning_rate: Annotated[float, Field(gt=0)] | Auto = Field(
        "auto", description="Of Adam. auto: .001 from random weights, .0005 from a pretrained start."
    )
    beta_1: float = Field(0.9, ge=0, lt=1, description="Adam's decay of the mean of gradients.")
    beta_2: float = Field(0.999, ge=0, lt=1, description="Adam's decay of the mean of squared gradients.")
    epsilon: float = Field(1e-8, gt=0, description="Adam's guard against division by zero.")
    gmf_l2: L2 | Auto = Field(
        "auto",
        description="L2 on the GMF embeddings of a batch, each as often as it occurs there (Rendle et al., Neural "
        "Collaborative Filtering vs. Matrix Factorization Revisited, RecSys 2020, take .005). auto: .005 with "
        "pretraining, else 0.",
    )
    mlp_l2: L2 | Auto = Field("auto", description="The same for the MLP embeddings.")
    weight_averaging: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Validate and export the exponential moving average of the weights, which keeps this share of "
        "itself in each step (Polyak and Juditsky, SIAM J. Control and Optimization 1992); 0 takes them as they are.",
    )
    metric: MetricName = Field(
        "ndcg", description="Which metric at 10 on validation chooses the epoch and stops early."
    )
    validate_on: Literal["full", "sampled"] = Field(
        "full",
        description="What the metric that chooses is measured on. full: all items that a user has not seen, for a "
        "sample of users, drawn by raw id and seed, where there are many, by the model as it would be exported; "
        "sampled: the negatives of the evaluation records, as the paper and MLPerf do it, which may prefer other "
        "models (Krichene and Rendle, On Sampled Metrics for Item Recommendation, KDD 2020).",
    )
    early_stopping_patience: int | None = Field(
        3, ge=1, description="Stop after so many epochs without a better metric; null trains all epochs."
    )
    least_gain: Annotated[float, Field(ge=0, allow_inf_nan=False)] | Auto = Field(
        "auto",
        description="By what share an epoch has to be better on validation than the start, to be exported in its "
        "place, where the start is fitted anew with the validation items in the end, as trained weights cannot be: "
        "pretraining als, with towers in closed form beside it. auto: the validation items as a share of the training "
        "interactions, at least .01.",
    )
    hr_threshold: float | None = Field(
        None, gt=0, le=1, description="Stop as soon as HR@10 on validation reaches it, as MLPerf does."
    )
    steps_per_call: int = Field(
        64, ge=1, description="Training steps in one call of the compiled loop; the result does not depend on it."
    )

    device: DeviceName = Field(
        "auto",
        description="What trains. cpu: one machine's cores; gpu: one of its GPUs; mirrored: all its GPUs; multiworker: "
        "the workers that TF_CONFIG names; tpu: the TPU that TPU_NAME names. auto takes the first that is there of "
        "tpu, multiworker, mirrored, gpu, cpu. Several devices share each batch (docs/accelerators.md).",
    )
    precision: Precision = Field(
        "float32",
        description="Of activations and matrix products in training; weights, Adam and the loss stay float32 "
        "(Micikevicius et al., Mixed Precision Training, ICLR 2018). mixed_float16 scales the loss dynamically, on one "
        "device only; mixed_bfloat16 needs no scaling. On a CPU, float32 is the fastest: its own compiled step knows "
        "nothing else, and the others are left to XLA.",
    )

    @property
    def epochs_of_towers(self) -> int:
        """For how many epochs the towers are trained alone, at most; each of them goes through the same examples."""
        return self.pretraining_epochs if self.trains_towers else 0

    @property
    def epochs_of_examples(self) -> int:
        """How many epochs of examples are needed; each training goes through them from the first."""
        return max(self.epochs, self.epochs_of_towers)

    @property
    def starts_from_als(self) -> bool:
        """Whether the GMF tower starts from ALS."""
        return self.pretraining in ("als", "als_towers")

    @property
    def trains_towers(self) -> bool:
        """Whether the towers are trained alone first."""
        return self.pretraining in ("towers", "als_towers")

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if len(self.layers) == 1:
            raise ValueError(
                "layers needs at least two widths (embeddings, then a layer), or none to leave the MLP out"
            )
        if self.layers and self.layers[0] % 2:
            raise ValueError(f"layers[0] must be even, half for the user and half for the item; got {self.layers[0]}")
        if not self.layers and not self.num_factors:
            raise ValueError("num_factors is 0 and layers is empty: no tower is left")
        if self.trains_towers and not (self.layers and self.num_factors):
            raise ValueError(
                f"pretraining: {self.pretraining} needs both towers; set num_factors and layers, or pretraining: none"
            )
        if self.warm_start == "champion" and self.validate_on == "sampled":
            raise ValueError(
                "warm_start: champion needs validate_on: full, as it judges by those users alone whose item for "
                "validation the champion has not learnt"
            )
        if self.pretraining == "als" and not self.num_factors:
            raise ValueError("pretraining: als needs a GMF tower; set num_factors, or pretraining: none")
        return self
