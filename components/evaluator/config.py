"""The `evaluator` section of the configuration."""

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from components.artifacts.evaluation import Way
from components.evaluator.baselines import BASELINES, Baseline
from components.metrics import METRICS
from components.shared.parameters import Section, with_keys

if TYPE_CHECKING:
    MetricName: TypeAlias = str
else:  # what is registered is known at run time alone
    MetricName = Literal[tuple(name.lower() for name in METRICS)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


def _keys_of_metric(name: str) -> dict[str, tuple[Any, Any]]:
    return {f"minimum_{name.lower()}": (Share | None, Field(None, description=f"Least {name}@gate_k {_WHERE}."))}


def _keys_of_baseline(name: str, baseline: type[Baseline]) -> dict[str, tuple[Any, Any]]:
    must = f"Every metric at gate_k {_WHERE} must be above that of {baseline.title}."
    return {
        name: (bool, Field(True, description=f"Measure, beside the model, {baseline.about}.")),
        f"better_than_{name}": (bool, Field(False, description=must)),
        f"{name}_margin": (Share, Field(0.0, description="By how much they must be above; a difference, no share.")),
    }


_WHERE = "in the ranking of gate_on"
_KEYS = [
    *(_keys_of_metric(name) for name in METRICS),
    *(_keys_of_baseline(name, baseline) for name, baseline in BASELINES.items()),
]


@with_keys(list(BASELINES.values()), {name: key for keys in _KEYS for name, key in keys.items()})
class EvaluatorConfig(Section):
    """What is measured, and the rules a model has to hold to be blessed. A rule set to null is not asked."""

    ks: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        (1, 5, 10, 20),
        min_length=1,
        description="Lengths K of the recommended list at which the metrics are given: HR@K, NDCG@K, ...",
    )
    gate_k: int = Field(10, ge=1, description="The K that the gate's rules look at; one of ks.")
    gate_on: Way = Field(
        "full",
        description="The ranking that the gate's rules look at, and whose figures come first. full: of all items that "
        "the user has not seen. sampled: of the test records' candidates, as the protocols ncf and mlperf have it; "
        "such metrics may order systems otherwise than the full ranking does (Krichene and Rendle, KDD 2020).",
    )
    full_ranking_users: int | None = Field(
        10_000,
        ge=1,
        description="Rank all items for a sample of so many test users, drawn by raw id and seed; null takes them all. "
        "More users cost time, and tell differences that no longer matter.",
    )
    new_users: float = Field(
        0.0,
        ge=0,
        le=0.5,
        allow_inf_nan=False,
        description="About this share of the users, drawn with the run's seed, is held out entirely by Preprocess, "
        "after its filters; the model is then measured on them, too, given what they did up to the item that they are "
        "judged by. Figures beside those of the others; no rule looks at them. See splits.md.",
    )
    pairs_per_block: int = Field(
        1 << 21, ge=1, description="User-item pairs scored at once while ranking all items; this bounds the memory."
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
    minimum_coverage: Share | None = Field(
        None, description="Least share of all items that is in the top gate_k of at least one test user."
    )
    decisive_metrics: tuple[MetricName, ...] = Field(
        ("ndcg",),
        min_length=1,
        description="In which metrics at gate_k the model must be neither below the best baseline nor below the "
        "champion. Each more makes it likelier that a good model fails by chance.",
    )
    baseline_margin: Share | None = Field(
        0.0,
        description="By which share of its metric the model may be below the best of the measured baselines. It fails "
        "where it is below for certain: where the upper bound of the paired difference (champion_confidence) is below "
        "minus the margin and noise_tolerance. With gate_on full, that is asked in both rankings.",
    )
    champion_margin: Share | None = Field(
        0.0,
        description="The same for the champion, the newest version in the push destination, on the test users and "
        "items that both models know.",
    )
    noise_tolerance: Share = Field(
        0.0075,
        description="Added to both margins: the share of a metric that the same model may lose when it is trained "
        "from another seed.",
    )
    champion_confidence: float = Field(
        0.98,
        ge=0.5,
        lt=1,
        description="Confidence of the one-sided bounds of those two rules (paired bootstrap over users); 0.5 judges "
        "the difference itself. What this lets pass, and what not: docs/gate.md.",
    )
    slice_margin: Share | None = Field(
        None,
        description="By how much a metric at gate_k may be below the champion's in the quartile of users (by "
        "activity) or of held-out items (by popularity) that lost most. Compares means: leave room for few users.",
    )
    leak_free: bool = Field(
        True, description="No held-out test item may stand among its user's training or validation items, or twice."
    )
    suspicious_share: Share | None = Field(
        0.5,
        description="Too good to be true: the model may rank the held-out item before all others for at most this "
        "share of the users, unless a baseline does so for half as many.",
    )
    maximum_unreadable_share: Share | None = Field(
        0.5,
        description="Largest share of the input's rows that cannot be read, where dataset.on_bad_row skips them: "
        "where most are, the file is not what the configuration takes it for.",
    )
    maximum_dropped_share: Share | None = Field(
        None, description="Largest share of the input's rows that is dropped, for whatever reason."
    )
    maximum_tied_share: Share | None = Field(
        None, description="Largest share of the users whose held-out items are decided among equal timestamps."
    )
    maximum_new_item_share: Share | None = Field(
        None,
        description="Largest share of the held-out rows whose item has no training row, whether they were dropped for "
        "that (splits by time and at random) or are judged by.",
    )
    maximum_lost_user_share: Share | None = Field(
        None, description="Largest share of the champion's users that this data does not have."
    )
    maximum_lost_item_share: Share | None = Field(
        None, description="Largest share of the champion's items that this data does not have."
    )
    minimum_rows_ratio: float | None = Field(
        None, ge=0, allow_inf_nan=False, description="Least number of training rows, as a multiple of the champion's."
    )
    maximum_popularity_shift: Share | None = Field(
        None,
        description="Largest total variation distance between the popularity of the items, as shares of the training "
        "rows, in this data and in the champion's. Few rows of many items differ by chance alone.",
    )
    items_by_histories: bool = Field(
        True,
        description="In a model that tells items apart, those who took an item must score it above at least four of "
        "five others: an item that has another's place in the model is one like any other to them. See docs/gate.md.",
    )
    finite: bool = Field(True, description="Every weight, every score and every metric must be a finite number.")
    minimum_test_users: int = Field(100, ge=1, description="Fewer test users than these prove nothing.")
    serving_tolerance: float | None = Field(
        1e-4,
        gt=0,
        allow_inf_nan=False,
        description="Greatest difference between the served scores of raw ids and those that the metrics come from, "
        "relative to the user's largest score; and between a user's row and what the user's interactions make it. null "
        "switches these rules off, and as_exported.",
    )

    @model_validator(mode="after")
    def _check_gate_k(self) -> Self:
        if self.gate_k not in self.ks:
            raise ValueError(f"gate_k is {self.gate_k}, which is not one of ks {list(self.ks)}")
        return self

    @model_validator(mode="after")
    def _check_baselines(self) -> Self:
        for name in BASELINES:
            if self.margin_over(name) is not None and not getattr(self, name):
                raise ValueError(f"better_than_{name} needs {name}: true")
        return self

    def minimum(self, metric: str) -> float | None:
        """The least value of a metric at gate_k; None where there is no such rule."""
        least: float | None = getattr(self, f"minimum_{metric.lower()}")
        return least

    @property
    def gate_ways(self) -> tuple[Way, ...]:
        """The rankings in which the model is held against its rivals; that of `gate_on` first."""
        return ("full", "sampled") if self.gate_on == "full" else ("sampled",)

    def leaves_too_few(self, users: int, short: int) -> bool:
        """Whether too few test users are left to judge metrics at gate_k by, as `short` of them have none."""
        return short > 0 and users - short < self.minimum_test_users

    def margin_over(self, baseline: str) -> float | None:
        """By how much the model must be above a baseline; None where there is no such rule."""
        margin: float = getattr(self, f"{baseline}_margin")
        return margin if getattr(self, f"better_than_{baseline}") else None

    def baselines(self) -> dict[str, Baseline]:
        """The baselines to be measured, each with its keys."""
        chosen = {name: kind for name, kind in BASELINES.items() if getattr(self, name)}
        return {
            name: kind.model_validate({key: getattr(self, key) for key in kind.model_fields})
            for name, kind in chosen.items()
        }
