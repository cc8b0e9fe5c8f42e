"""The pipeline's steps as their executors run them, for `benchmarks.scale`: each in a process of its own."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.harness import Measurement, measure
from benchmarks.preprocess import prepare_ours, run_ours
from benchmarks.streaming import drain
from components.preprocess.datasets.synthetic_generator import SyntheticConfig, write_csv
from pipeline.config import Config

_SEED = 1


@dataclass(frozen=True)
class Measured:
    """What a part of a run took.

    Attributes:
      seconds: by the clock, or by its threads' work where that is less: others may be at work on the machine.
      peak_memory_gb: of its process.
      grown_gb: that without what the process had in memory before.
      disk_gb: that it left.
    """

    seconds: float
    peak_memory_gb: float
    grown_gb: float
    disk_gb: float


def configured(shape: SyntheticConfig, source: str = "streamed") -> Config:
    """The configuration of what is measured: the defaults, all rows, and one epoch.

    Args:
      shape: of the data.
      source: of the training rows.
    """
    keys = ("synthetic_users", "synthetic_items", "synthetic_interactions")
    sizes = dict(zip(keys, (shape.users, shape.items, shape.interactions), strict=True))
    return Config.model_validate(
        {
            "seed": _SEED,
            "dataset": {"kind": "synthetic", **sizes},
            "preprocess": {"min_interactions": 1, "min_item_interactions": 1},
            "negatives": {"source": source},
            "trainer": {"epochs": 1},
        }
    )


def measure_steps(folder: Path, shape: SyntheticConfig, *, trains: bool, small: bool) -> dict[str, Measured]:
    """What each part of a run takes.

    Args:
      folder: an empty one.
      shape: of the synthetic ratings.
      trains: whether to train, and to measure what needs a model.
      small: whether to measure also what grows with rows alone: rows that are drawn, and training files.

    Returns:
      By part, as `pipeline.estimating.work` calls them; `generated` and `written` are Preprocess and NegativeGen once
      more, of rows that are drawn, and with files.
    """
    csv, out = folder / "ratings.csv", folder / "out"
    measure(write_csv, str(csv), shape, _SEED)
    config = configured(shape)
    found = {"Preprocess": _measured(measure(run_ours, str(csv), str(out), 1, prepare=prepare_ours), out)}
    csv.unlink()
    found["NegativeGen"] = _measured(
        measure(generate_negatives, str(out), config, prepare=_import_beam), out / "examples"
    )
    examples, interactions = str(out / "examples"), str(out / "interactions")
    found["drawing"] = _measured(measure(drain, examples, interactions, 1, prepare=import_quietly))
    if small:
        again, files = folder / "generated", configured(shape, "files")
        found["generated"] = _measured(measure(preprocess, str(again), config, prepare=prepare_ours), again)
        written = measure(generate_negatives, str(out), files, "files", prepare=_import_beam)
        found["written"] = _measured(written, out / "files")
    if trains:
        found |= _with_a_model(out, config)
    return found


def _with_a_model(out: Path, config: Config) -> dict[str, Measured]:
    trained = measure(train, str(out), config, prepare=import_quietly)
    evaluated = measure(evaluate_model, str(out), config, prepare=import_quietly)
    whole = _measured(evaluated)
    baselines = {name: _share(evaluated, seconds) for name, seconds in evaluated.value.items()}
    rest = whole.seconds - sum(part.seconds for part in baselines.values())
    epoch = _share(trained, trained.value)
    start = _measured(trained, out / "model", out / "model_run")
    return {
        "Trainer": Measured(start.seconds - epoch.seconds, start.peak_memory_gb, start.grown_gb, start.disk_gb),
        "epoch": epoch,
        "Evaluator": Measured(rest, whole.peak_memory_gb, whole.grown_gb, 0.0),
        **baselines,
        "Pusher": _measured(measure(push, str(out), prepare=_import_pusher), out / "pushed", out / "serving"),
    }


def _measured(found: Measurement, *folders: Path) -> Measured:
    return Measured(found.undisturbed_seconds, found.peak_memory_gb, found.grown_gb, sum(map(_gigabytes, folders)))


def _share(found: Measurement, seconds: float) -> Measured:
    """A part of what was measured, which took so long by the clock."""
    return Measured(found.undisturbed_seconds * seconds / found.seconds, found.peak_memory_gb, found.grown_gb, 0.0)


def _gigabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e9


def measure_program() -> float:
    """GB of memory that the program has before its first step."""
    return measure(import_all).peak_memory_gb


def import_all() -> None:
    """Imports what a run does."""
    import_quietly()
    import pipeline.local.runner  # noqa: F401


def _import_pusher() -> None:
    import components.serving.versions  # noqa: F401


def _import_beam() -> None:
    import apache_beam  # noqa: F401

    import components.negative_gen.generate  # noqa: F401


def import_quietly() -> None:
    """Imports what training and evaluating need."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import components.evaluator.evaluation
    import components.trainer.run_fn  # noqa: F401


def preprocess(out: str, config: Config) -> None:
    """Preprocess of rows that it draws itself."""
    from components.preprocess.run import write_artifacts

    write_artifacts(config.dataset, config.preprocess, _SEED, f"{out}/interactions", f"{out}/vocabulary", _pipeline)


def _pipeline() -> Any:
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions

    return beam.Pipeline(runner="FnApiRunner", options=PipelineOptions(["--direct_num_workers=1"]))


def generate_negatives(out: str, config: Config, name: str = "examples") -> None:
    """NegativeGen, into a folder of that name."""
    from components.artifacts.interactions import Interactions
    from components.negative_gen.config import BatchesConfig
    from components.negative_gen.generate import generate
    from components.negative_gen.job import NegativesJob

    source = Interactions(f"{out}/interactions")
    rows = source.summary.interactions["train"] * (1 + config.negatives.num_negatives)
    job = NegativesJob(
        interactions=source,
        evaluation_splits=("validation", "test"),
        vocabulary_uri=f"{out}/vocabulary",
        examples_uri=f"{out}/{name}",
        negatives=config.negatives,
        batch_size=BatchesConfig(batch_size="auto", epochs=1).batch_size_of(rows),
        epochs=config.trainer.epochs,
        seed=_SEED,
    )
    with _pipeline() as pipeline:
        generate(pipeline, job)


def train(out: str, config: Config) -> float:
    """The Trainer; the seconds of its epoch."""
    from tfx.components.trainer.fn_args_utils import FnArgs

    from components.artifacts.model_run import History
    from components.trainer.run_fn import run_fn

    run_fn(
        FnArgs(
            train_files=[f"{out}/examples/Split-train/*"],
            transform_graph_path=f"{out}/vocabulary",
            serving_model_dir=f"{out}/model/Format-Serving",
            model_run_dir=f"{out}/model_run",
            custom_config={
                "config": config.trainer.model_dump(mode="json"),
                "seed": _SEED,
                "checkpoint_root": f"{out}/checkpoints",
                "push_destination": "",
                "code_version": "",
                "interactions": f"{out}/interactions",
            },
        )
    )
    history = History.read(f"{out}/model_run")
    assert history is not None
    return sum(epoch.seconds for epoch in history.whole.epochs)


def evaluate_model(out: str, config: Config) -> dict[str, float]:
    """The Evaluator; the seconds that it took to choose and fit each baseline."""
    from components.evaluator.evaluation import evaluate
    from components.evaluator.trials import Sources

    sources = Sources(f"{out}/model/Format-Serving", f"{out}/examples", f"{out}/interactions", f"{out}/vocabulary")
    baselines: Mapping[str, Any] = evaluate(sources, config.evaluator, _SEED).baselines
    return {name: system.fit_seconds for name, system in baselines.items()}


def push(out: str) -> None:
    """What Pusher does once a model is blessed."""
    from components.serving.contract import SAVED_MODEL_FILE
    from components.serving.versions import add_version
    from components.shared.files import folders

    folders.copy(f"{out}/model/Format-Serving", f"{out}/pushed", last=SAVED_MODEL_FILE)
    add_version(f"{out}/model/Format-Serving", f"{out}/serving")
