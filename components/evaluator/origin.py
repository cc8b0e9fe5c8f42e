"""What stands behind a blessing, for the manifest of what is pushed."""

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

from components.artifacts.evaluation import Evaluation
from components.serving.manifest import Origin


def origin_of(evaluation: Evaluation, description: Mapping[str, Any]) -> Origin:
    """The origin of a model that was judged.

    Args:
      evaluation: what was measured, and the verdict.
      description: of the run, with its configuration under `config`.
    """
    config = json.dumps(description.get("config", {}), sort_keys=True)
    measured = evaluation.model.of(evaluation.gate_on)
    return Origin(
        data=evaluation.dataset_fingerprint,
        configuration=hashlib.sha256(config.encode()).hexdigest()[:16],
        metrics={name: value if math.isfinite(value) else None for name, value in measured.items()},
        verdict={rule.rule: str(rule.state) for rule in evaluation.rules},
    )
