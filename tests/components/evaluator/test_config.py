from typing import Any

import pytest
from pydantic import ValidationError

from components.evaluator.config import EvaluatorConfig


@pytest.mark.parametrize(
    "values",
    [{"gate_k": 7}, {"ks": ()}, {"ks": (0, 10)}, {"minimum_hr": 1.5}, {"minimum_hr": float("nan")},
     {"full_ranking_users": 0}, {"minimum_test_users": 0}, {"unknown": 1}, {"champion_margin": -0.01},
     {"gate_on": "all"}, {"baseline_margin": 1.5}, {"suspicious_share": 2},
     {"champion_confidence": 1.0}, {"champion_confidence": 0.4}, {"minimum_coverage": 1.1},
     {"slice_margin": float("nan")}, {"better_than_als": True, "als": False}],
    ids=str,
)  # fmt: skip
def test_configuration_out_of_range_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        EvaluatorConfig(**values)


def test_configuration_passes_through_execution_properties() -> None:
    config = EvaluatorConfig(ks=(3, 10), minimum_hr=0.5, full_ranking_users=7, baseline_margin=None)
    assert EvaluatorConfig.from_properties({**config.to_properties(), "seed": 3}) == config
    assert EvaluatorConfig.from_properties(EvaluatorConfig().to_properties()) == EvaluatorConfig()
