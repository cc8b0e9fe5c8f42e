"""A run that takes seconds, and where it ends."""

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from components.serving.versions import newest_version

TINY = (
    "dataset.synthetic_users=300",
    "dataset.synthetic_items=150",
    "dataset.synthetic_interactions=9000",
    "trainer.epochs=1",
    "trainer.learning_rate=0.01",
    "trainer.num_factors=8",
    "trainer.history_factors=16",
    "trainer.layers=[16, 8]",
    "evaluator.minimum_hr=0.05",
    "evaluator.als=false",
    "evaluator.ease=false",
    "evaluator.item_knn=false",
    "evaluator.recent_items=false",
)
TINY_ARGUMENTS = tuple(word for value in TINY for word in ("--set", value))


@dataclass(frozen=True)
class Outcome:
    """What a run has made, but for times and names of places.

    Attributes:
      metrics: of the newest evaluation.
      files: the digest of each file of the version that is served, but for TensorFlow's fingerprint, which is drawn,
        and the manifest, which has that and the time. Of the graph, the numbers of its functions are left out: they
        run on through a process, and a run that goes on has had fewer.
    """

    metrics: Any
    files: dict[str, str]

    @classmethod
    def of(cls, root: Path) -> Self:
        """Of the runs with a root, the last of which has ended well."""
        evaluations = root / "artifacts" / "Evaluator" / "evaluation"
        newest = max(evaluations.iterdir(), key=lambda path: int(path.name))
        served = Path(newest_version(str(root / "serving")).path)
        files = {
            str(path.relative_to(served)): hashlib.sha256(_content(path)).hexdigest()
            for path in served.rglob("*")
            if path.is_file() and path.name not in ("fingerprint.pb", "manifest.json")
        }
        return cls(_lasting(json.loads((newest / "metrics.json").read_text())), files)


def _content(path: Path) -> bytes:
    if path.name != "saved_model.pb":
        return path.read_bytes()
    graph = str(SavedModel.FromString(path.read_bytes()))
    # Functions stand in the order of their names, which changes where a number has a digit more.
    return "\n".join(sorted(re.sub(r"\d+", "0", graph).splitlines())).encode()


def _lasting(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _lasting(inner) for key, inner in value.items() if "seconds" not in key and key != "model_path"}
    return [_lasting(inner) for inner in value] if isinstance(value, list) else value
