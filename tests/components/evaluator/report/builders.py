"""A whole, made-up evaluation, and the training and the run around it, for the report to show."""

import math
from typing import Any

from components.artifacts.data_statistics import TOP, Calendar, DataStatistics, Gap, Largest, Spread
from components.artifacts.evaluation import (
    Bounds,
    ByWay,
    Champion,
    ChampionQuartile,
    ChampionStatus,
    Comparison,
    Copies,
    CopiesEffect,
    Coverage,
    Difference,
    Drift,
    Evaluation,
    Example,
    Means,
    NewUsers,
    Quartile,
    Recommendation,
    RecommendedPopularity,
    ServingCheck,
    Soundness,
    State,
    System,
    Verdict,
    WorstSlice,
)
from components.artifacts.interactions_summary import Absent, Dropped, InteractionsSummary, ShardSummary
from components.artifacts.model_run import Epoch, History, Stage

KS = (1, 5, 10, 20)
STRENGTH = {"model": 1.0, "popularity": 0.62, "als": 0.93}
TITLES = {
    "model": ("NeuMF", "Model"),
    "popularity": ("item popularity", "Popularity"),
    "als": ("implicit ALS", "ALS"),
}
AT_TEN = ByWay(0.735, 0.108)
SOUND = Soundness(
    leaked=0,
    repeated=0,
    ranked_first={"model": 0.02, "popularity": 0.01},
    ranked_again=256,
    moved=0,
    popularity_to_itself=0.0,
)


def evaluation(blessed: bool = True, strength: dict[str, float] = STRENGTH) -> Evaluation:
    """An evaluation with every part there is, of systems that reach these parts of the best one's metrics."""
    return Evaluation(
        gate_k=10,
        gate_on="full",
        ks=KS,
        metrics=("HR", "NDCG"),
        confidence=0.95,
        bootstrap_samples=1000,
        test_users=ByWay(6040, 6040),
        systems={name: system(value, *TITLES.get(name, (name, name))) for name, value in strength.items()},
        left_out={},
        differences={name: _differences(value) for name, value in strength.items() if name != "model"},
        best_baselines=ByWay({}, {}),
        slices={"activity": _quartiles(44, 0.05, strength), "item_popularity": _quartiles(120, -0.2, strength)},
        positive_among_negatives=Copies(
            users=156,
            counted_in_metrics=False,
            systems={
                "model": CopiesEffect(
                    dropped={"HR@10": 0.7321, "NDCG@10": 0.4551},
                    counted={"HR@10": 0.7302, "NDCG@10": 0.4539},
                    difference={"HR@10": 0.0019, "NDCG@10": 0.0012},
                )
            },
        ),
        weights_not_finite=0,
        examples=tuple(_example(number) for number in range(10)),
        soundness=SOUND,
        serving=ServingCheck(users=256, unknown_ids=0, largest_difference=2.98e-7),
        champion=champion(),
        best_possible_hr=0.7812,
        dataset="ml-1m",
        dataset_fingerprint="e23de6091f76980b",
        model_path="runs/neumf/artifacts/Trainer/model/3/Format-Serving",
        seconds=21.4,
        rules=rules(blessed),
        new_users=new_users(),
        data=data(),
    )


def data() -> InteractionsSummary:
    """Data with something of every kind that can be told of it."""
    return InteractionsSummary(
        dataset="ml-1m",
        rows_read=1_000_209,
        dropped=Dropped(bad_rows=9, duplicates=120_080, below_min_item_interactions=120),
        absent=Absent(users=12, items=294),
        users=6040,
        items=3412,
        interactions={"train": 867_920, "validation": 6040, "test": 6040},
        density=880_000 / (6040 * 3412),
        holdout="last",
        time_unit="s",
        period=(956_703_932, 1_046_454_590),
        timed=True,
        tied_users=1502,
        shards=(ShardSummary(first_user=0, users=6040, train=867_920, validation=6040, test=6040),),
        fingerprint="e23de6091f76980b",
        statistics=DataStatistics(
            users=_spread(143.7, 2312, 4169, 0.5),
            items=_spread(254.4, 3426, "Long name of a film, A (1999)", 0.35),
            calendar=Calendar(
                rows=(150_000, *(20_004 for _ in range(30)), *(0 for _ in range(18)), 130_080),
                gap=Gap(begin=1_010_000_000, end=1_020_000_000),
            ),
            cold=11,
        ),
    )


def _spread(mean: float, most: int, largest: int | str, power: float) -> Spread:
    return Spread(
        mean=mean,
        quantiles=(1, 44, 96, 208, 907, most),
        curve=tuple(top**power for top in TOP),
        largest=Largest(id=largest, rows=most),
    )


def new_users() -> NewUsers:
    """Users whom the model serves a little worse than the trained ones."""
    means = _means(0.9, AT_TEN.full)
    return NewUsers(
        held_out=612,
        users=604,
        unknown_items=3,
        unknown_histories=1,
        metrics=means,
        intervals=_bounds(means),
        ratio_intervals=dict.fromkeys(means, Bounds(0.86, 0.94)),
    )


def rules(blessed: bool) -> tuple[Verdict, ...]:
    """Verdicts of every state, with integers, tiny numbers and what is no number among their values."""
    refused = "HR@10 0.7321 is below the minimum 0.99"
    minimum = (0.7, "HR@10 0.7321 is at least the minimum 0.7") if blessed else (0.99, refused)
    return (
        _rule("minimum_test_users", 6040, 100.0, "number of test users 6,040 is at least the minimum 100"),
        _rule("finite", 0, 0.0, "number of scores and metrics that are not finite 0 is at most the allowed 0"),
        _rule("minimum_hr", 0.7321, *minimum, State.PASSED if blessed else State.FAILED),
        _rule("better_than_als_hr", 0.7321, 0.6805, "HR@10 0.7321 is above ALS's 0.6805"),
        _rule("not_worse_than_champion_hr", 0.0101, -0.01, "the upper bound of HR@10 is at least minus the margin"),
        _rule("slices_not_worse_than_champion", math.nan, math.nan, "no slices to compare: skipped", State.SKIPPED),
        _rule("serving_consistent", 2.98e-7, 0.0001, "difference between served and measured scores 3e-07"),
    )


def _rule(name: str, value: float, bound: float, detail: str, state: State = State.PASSED) -> Verdict:
    return Verdict(name, state, value, bound, detail)


def champion() -> Champion:
    """A comparison with the model in service."""
    quartiles = tuple(
        ChampionQuartile(f"quartile {n}", 1480 + n, {"HR@10": 0.004 - n / 900, "NDCG@10": 0.001}) for n in range(1, 5)
    )
    comparison = Comparison(
        shared_users=5921,
        shared_items=3512,
        confidence=0.95,
        challenger={"HR@10": 0.7321, "NDCG@10": 0.4551},
        champion={"HR@10": 0.7276, "NDCG@10": 0.4502},
        differences={"HR@10": Difference(0.0045, -0.0011, 0.0101), "NDCG@10": Difference(0.0049, 0.0008, 0.009)},
        slices={"activity": quartiles, "item_popularity": quartiles},
        worst_slice={"HR@10": WorstSlice("activity, quartile 4", 0.004 - 4 / 900)},
    )
    detail = "version 1 was compared on 5,921 users"
    return Champion(ChampionStatus.COMPARED, detail, "1", "runs/neumf/serving/1", {"full": comparison}, drift=drift())


def drift() -> Drift:
    """Data that has grown."""
    return Drift(
        users=6040,
        new_users=119,
        champion_users=5930,
        items=3412,
        new_items=12,
        champion_items=3400,
        rows=867_920,
        champion_rows=851_002,
        popularity_shift=0.0213,
    )


def history(epochs: int = 12, validated: bool = True) -> History:
    """A training that over-fits after two thirds of its epochs."""
    best = max(1, epochs * 2 // 3)
    rows = [
        Epoch(
            loss=0.22 + 0.25 * math.exp(-epoch / 2.5),
            metrics={
                "HR@10": 0.74 - 0.3 * math.exp(-epoch / 2) - 0.002 * max(0, epoch - best),
                "NDCG@10": 0.47 - 0.25 * math.exp(-epoch / 2) - 0.003 * max(0, epoch - best),
            }
            if validated
            else {},
            seconds=12.5,
            examples_per_second=1_530_000,
        )
        for epoch in range(1, epochs + 1)
    ]
    chosen_by = "ndcg@10 on validation" if validated else "last epoch: no held-out items to choose by"
    return History(Stage("neumf", rows, best, chosen_by, "no better NDCG@10 for 4 epochs"), seconds=180.0, config={})


def run() -> dict[str, Any]:
    """What was run."""
    return {
        "pipeline": "neumf-ml-1m",
        "git_version": "v0.1.0-12-g1acd4eb",
        "config": {
            "name": "neumf-ml-1m",
            "seed": 0,
            "dataset": {"kind": "movielens", "name": "ml-1m", "path": None},
            "negatives": {"protocol": "uniform", "num_negatives": 4, "num_eval_negatives": 99},
            "trainer": {"num_factors": 32, "layers": [128, 64, 32, 16], "learning_rate": 0.001, "metric": "ndcg"},
            "evaluator": {"ks": [1, 5, 10, 20], "minimum_hr": 0.7, "baseline_margin": 0.0},
        },
    }


def system(strength: float, title: str, label: str) -> System:
    """A system that reaches so much of the best one's metrics."""
    means = ByWay(_means(strength, AT_TEN.sampled), _means(strength, AT_TEN.full))
    return System(
        sampled=means.sampled,
        full=means.full,
        title=title,
        label=label,
        not_finite=0,
        coverage=Coverage(k=10, items=int(2100 * strength**3), share=0.57 * strength**3),
        recommended_popularity=RecommendedPopularity(
            (0.01 * strength, 0.04 * strength, 0.19 * strength, 1 - 0.24 * strength), 812.4 / strength
        ),
        intervals=ByWay(_bounds(means.sampled), _bounds(means.full)),
        fit_seconds=None if label == "Model" else 2 * strength,
    )


def _bounds(means: Means) -> dict[str, Bounds]:
    return {name: Bounds(value * 0.985, value * 1.015) for name, value in means.items()}


def _means(strength: float, at_ten: float) -> Means:
    found: Means = {}
    for k in KS:
        hr = min(1.0, at_ten * strength * (k / 10) ** 0.55)
        found |= {f"HR@{k}": hr, f"NDCG@{k}": hr * (1.0 if k == 1 else 0.62)}
    return found


def _differences(strength: float) -> ByWay[dict[str, Difference]]:
    def ahead(at_ten: float) -> dict[str, Difference]:
        return {
            name: Difference(value * (1 - strength), value * (0.99 - strength), value * (1.01 - strength))
            for name, value in _means(1.0, at_ten).items()
        }

    return ByWay(ahead(AT_TEN.sampled), ahead(AT_TEN.full))


def _quartiles(step: int, slope: float, strength: dict[str, float]) -> tuple[Quartile, ...]:
    return tuple(
        Quartile(
            name=f"quartile {number}",
            low=1 if number == 1 else step * (number - 1) ** 2 + 1,
            high=step * number**2,
            users=1510,
            metrics={
                name: {"HR@10": value * (0.74 - slope * (2.5 - number) / 2), "NDCG@10": value * 0.45}
                for name, value in strength.items()
            },
        )
        for number in range(1, 5)
    )


def _example(number: int) -> Example:
    items = [100 + 37 * number + 11 * place for place in range(10)]
    rank = (number * 7) % 25 + 1
    held_out = items[rank - 1] if rank <= 10 else 3999
    return Example(
        user=17 + 601 * number,
        interactions=30 + 41 * number,
        history=tuple(2000 + 13 * number + 7 * place for place in range(20)),
        recommended=tuple(
            Recommendation(item, 3.2 - 0.21 * place, 2900 - 180 * place, item == held_out)
            for place, item in enumerate(items)
        ),
        held_out=held_out,
        rank=rank,
    )
