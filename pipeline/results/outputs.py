"""Which results the steps have for a console, each an output artifact of the compiled step beside TFX's own."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pipeline.results import figures, pages
from pipeline.results.figures import Figures

Kind = Literal["system.Metrics", "system.Markdown", "system.HTML"]


@dataclass(frozen=True)
class Result:
    """A result; a console shows the figures of a `system.Metrics`, and the file of any other kind.

    Attributes:
      step: that has it.
      kind: the platforms' type of the artifact.
      description: what it is.
      source: the step's output of TFX's that it is made from.
      figures: reads them from the URI of the source; of a file, they are none.
      page: reads the content of the file from the URI of the source; None where there is no file.
    """

    step: str
    kind: Kind
    description: str
    source: str
    figures: Callable[[str], Figures] = lambda _: {}
    page: Callable[[str], bytes] | None = None


RESULTS: dict[str, Result] = {
    "data_counts": Result(
        "Preprocess",
        "system.Metrics",
        "How many rows, users and items there are, and what was dropped.",
        "interactions",
        figures.of_data,
    ),
    "learning_curve": Result(
        "Trainer",
        "system.Metrics",
        "Where the learning curve ended: the last epoch's loss, and validation of the weights that were taken.",
        "model_run",
        figures.of_training,
    ),
    "metrics": Result(
        "Evaluator",
        "system.Metrics",
        "The metrics that the gate looks at, of the model; 1 where it is blessed.",
        "evaluation",
        figures.of_model,
    ),
    "baselines": Result(
        "Evaluator",
        "system.Metrics",
        "The same metrics, each of the baseline that is best in it.",
        "evaluation",
        figures.of_best_baselines,
    ),
    "verdict": Result(
        "Evaluator",
        "system.Markdown",
        "The verdict, the rules of the gate, and the metrics of all systems.",
        "evaluation",
        page=pages.verdict,
    ),
    "report": Result("Evaluator", "system.HTML", "The whole report.", "evaluation", page=pages.report),
}
