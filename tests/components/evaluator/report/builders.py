"""A whole, made-up evaluation of the shape of `metrics.json`, for the report to show."""

import math
from typing import Any

from components.artifacts.model_run import Epoch, History, Stage

KS = (1, 5, 10, 20)
STRENGTH = {"model": 1.0, "als": 0.93, "popularity": 0.62}


def metrics(blessed: bool = True) -> dict[str, Any]:
    """An evaluation with every part there is."""
    return {
        "blessed": blessed,
        "gate_k": 10,
        "ks": list(KS),
        "confidence": 0.95,
        "bootstrap_samples": 1000,
        "test_users": {"sampled": 6040, "full": 6040},
        **{name: _system(strength) for name, strength in STRENGTH.items()},
        "differences": {name: _differences(STRENGTH[name]) for name in ("popularity", "als")},
        "slices": {"activity": _quartiles(44, 0.05), "item_popularity": _quartiles(120, -0.2)},
        "positive_among_negatives": {
            "users": 156,
            "dropped": {"HR@10": 0.7321, "NDCG@10": 0.4551},
            "counted": {"HR@10": 0.7302, "NDCG@10": 0.4539},
            "difference": {"HR@10": 0.0019, "NDCG@10": 0.0012},
            "counted_in_metrics": False,
        },
        "champion": champion(),
        "examples": [_example(number) for number in range(10)],
        "serving": {"users": 256, "unknown_ids": 0, "largest_difference": 2.98e-7},
        "rules": rules(blessed),
        "best_possible_hr": 0.7812,
        "dataset": "ml-1m",
        "dataset_fingerprint": "e23de6091f76980b",
        "model_path": "runs/neumf/artifacts/Trainer/model/3/Format-Serving",
        "seconds": 21.4,
    }


def rules(blessed: bool) -> list[dict[str, Any]]:
    """Verdicts of every state, with integers, tiny numbers and None among their values."""
    refused = "HR@10 0.7321 is below the minimum 0.99"
    minimum = (0.7, "HR@10 0.7321 is at least the minimum 0.7") if blessed else (0.99, refused)
    return [
        _rule("minimum_test_users", 6040, 100.0, "number of test users 6,040 is at least the minimum 100"),
        _rule("finite", 0, 0.0, "number of scores and metrics that are not finite 0 is at most the allowed 0"),
        _rule("minimum_hr", 0.7321, minimum[0], minimum[1], passed=blessed),
        _rule("better_than_als_hr", 0.7321, 0.6805, "HR@10 0.7321 is above ALS's 0.6805"),
        _rule("not_worse_than_champion_hr", -0.0011, -0.01, "the lower bound of HR@10 is at least minus the margin"),
        _rule("slices_not_worse_than_champion", None, None, "no slices to compare: skipped", skipped=True),
        _rule("serving_consistent", 2.98e-7, 0.0001, "difference between served and measured scores 3e-07"),
    ]


def _rule(
    name: str, value: float | None, bound: float | None, detail: str, passed: bool = True, skipped: bool = False
) -> dict[str, Any]:
    return {"rule": name, "passed": passed, "skipped": skipped, "value": value, "bound": bound, "detail": detail}


def champion() -> dict[str, Any]:
    """A comparison with the model in service."""
    return {
        "status": "compared",
        "detail": "version 1 was compared on 5,921 users",
        "version": "1",
        "path": "runs/neumf/serving/1",
        "shared_users": 5921,
        "shared_items": 3512,
        "confidence": 0.95,
        "challenger": {"HR@10": 0.7321, "NDCG@10": 0.4551},
        "champion": {"HR@10": 0.7276, "NDCG@10": 0.4502},
        "differences": {
            "HR@10": {"mean": 0.0045, "low": -0.0011, "high": 0.0101},
            "NDCG@10": {"mean": 0.0049, "low": 0.0008, "high": 0.009},
        },
        "slices": {
            way: [
                {
                    "name": f"quartile {n}",
                    "users": 1480 + n,
                    "differences": {"HR@10": 0.004 - n / 900, "NDCG@10": 0.001},
                }
                for n in range(1, 5)
            ]
            for way in ("activity", "item_popularity")
        },
    }


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
    chosen_by = "ndcg@10 on validation" if validated else "last epoch: there is no validation split"
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
            "evaluator": {"ks": [1, 5, 10, 20], "minimum_hr": 0.7, "better_than_popularity": True},
        },
    }


def _system(strength: float) -> dict[str, Any]:
    sampled = _metrics(strength, 0.735)
    full = _metrics(strength, 0.108)
    return {
        "sampled": sampled,
        "full": full,
        "intervals": {
            way: {name: [value * 0.985, value * 1.015] for name, value in found.items()}
            for way, found in (("sampled", sampled), ("full", full))
        },
        "not_finite": 0,
        "coverage": {"k": 10, "items": int(2100 * strength**3), "share": 0.57 * strength**3},
        "recommended_popularity": {
            "quartiles": [0.01 * strength, 0.04 * strength, 0.19 * strength, 1 - 0.24 * strength],
            "mean_interactions": 812.4 / strength,
        },
    }


def _metrics(strength: float, at_ten: float) -> dict[str, float]:
    found = {}
    for k in KS:
        hr = min(1.0, at_ten * strength * (k / 10) ** 0.55)
        found |= {f"HR@{k}": hr, f"NDCG@{k}": hr * (1.0 if k == 1 else 0.62)}
    return found


def _differences(strength: float) -> dict[str, Any]:
    return {
        way: {
            name: {"mean": value * (1 - strength), "low": value * (0.99 - strength), "high": value * (1.01 - strength)}
            for name, value in _metrics(1.0, at_ten).items()
        }
        for way, at_ten in (("sampled", 0.735), ("full", 0.108))
    }


def _quartiles(step: int, slope: float) -> list[dict[str, Any]]:
    return [
        {
            "name": f"quartile {number}",
            "low": 1 if number == 1 else step * (number - 1) ** 2 + 1,
            "high": step * number**2,
            "users": 1510,
            "metrics": {
                name: {"HR@10": strength * (0.74 - slope * (2.5 - number) / 2), "NDCG@10": strength * 0.45}
                for name, strength in STRENGTH.items()
            },
        }
        for number in range(1, 5)
    ]


def _example(number: int) -> dict[str, Any]:
    items = [100 + 37 * number + 11 * place for place in range(10)]
    rank = (number * 7) % 25 + 1
    held_out = items[rank - 1] if rank <= 10 else 3999
    return {
        "user": 17 + 601 * number,
        "interactions": 30 + 41 * number,
        "history": [2000 + 13 * number + 7 * place for place in range(20)],
        "recommended": [
            {
                "item": item,
                "score": 3.2 - 0.21 * place,
                "interactions": 2900 - 180 * place,
                "held_out": item == held_out,
            }
            for place, item in enumerate(items)
        ],
        "held_out": held_out,
        "rank": rank,
    }
