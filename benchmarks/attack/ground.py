"""What mutants are made of: a run of the pipeline with its champion, and further trainings on the same data."""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
from rich.console import Console
from tfx.components.trainer.fn_args_utils import FnArgs

from benchmarks.attack.saved import Arrays, read_arrays
from components.artifacts.interactions import Interactions, Pairs, Shard, write_shard
from components.artifacts.model_run import History
from components.artifacts.vocabulary import Vocabulary
from components.preprocess.datasets.synthetic_generator import SyntheticConfig
from components.serving.exporter import ServingModel
from components.serving.saved.probabilities import Probabilities
from components.serving.seen_items import SeenItems
from components.shared.json_types import JsonObject
from components.trainer.config import TrainerConfig
from components.trainer.model import NeuMF
from components.trainer.run_fn import run_fn
from pipeline.config import load_config
from pipeline.console import StepReporter, noise_to_file
from pipeline.local import runner

_CONFIG = Path(__file__).parents[2] / "configs" / "synthetic.yaml"
_NO_BASELINES = {f"evaluator.{name}": False for name in ("als", "item_knn", "ease", "recent_items")}


@dataclass(frozen=True)
class Ground:
    """A root of the pipeline in which a model was trained and pushed.

    Attributes:
      root: the folder.
      trainer: the section of the configuration.
    """

    root: Path
    trainer: TrainerConfig

    @classmethod
    def lay(cls, root: Path, size: SyntheticConfig, seed: int, trainer: Mapping[str, object], quick: bool) -> Self:
        """Runs the pipeline on synthetic data.

        Args:
          root: where to.
          size: of the data.
          seed: of the run, and so of the data.
          trainer: keys of that section that are not the defaults.
          quick: whether the baselines are left out.
        """
        sizes = {f"dataset.synthetic_{name}": value for name, value in vars(size).items()}
        keys = {f"trainer.{name}": value for name, value in trainer.items()}
        # Nothing but what holds for any data: the mutants are to meet the gate as it is by default.
        values = sizes | keys | {"seed": seed, "evaluator.minimum_hr": None} | (_NO_BASELINES if quick else {})
        config = load_config(_CONFIG, [f"{name}={json.dumps(value)}" for name, value in values.items()])
        with noise_to_file(root / "log"):
            runner.run(config, root, StepReporter(Console(file=io.StringIO())))
        return cls(root, config.trainer)

    @property
    def interactions(self) -> str:
        """The URI of the artifact."""
        return self._artifact("Preprocess/interactions")

    @property
    def vocabulary(self) -> str:
        """Likewise."""
        return self._artifact("Preprocess/vocabulary")

    @property
    def examples(self) -> str:
        """Likewise."""
        return self._artifact("NegativeGen/examples")

    @property
    def model(self) -> str:
        """The folder of the trained SavedModel."""
        return f"{self._artifact('Trainer/model')}/Format-Serving"

    @property
    def exported(self) -> Mapping[str, str] | None:
        """Digests of what the training exported."""
        return _exported(self._artifact("Trainer/model_run"))

    @property
    def serving(self) -> str:
        """Where the champion is."""
        return str(self.root / "serving")

    def arrays(self) -> Arrays:
        """The weights of the trained SavedModel."""
        return read_arrays(self.model)

    def test_items(self) -> npt.NDArray[np.int32]:
        """The held-out item of each user, int32 [users]; -1 for none."""
        test = Interactions(self.interactions).split("test")
        found = np.full(Interactions(self.interactions).summary.users, -1, np.int32)
        found[test.users] = test.items
        return found

    def leak(self, folder: Path, users: npt.NDArray[np.int64]) -> str:
        """Writes the interactions with the test items of some users among those of training; the URI."""
        interactions = Interactions(self.interactions)
        train, test, validation = (interactions.split(name) for name in ("train", "test", "validation"))
        leaks = np.isin(test.users, users)
        rows = np.append(train.users, test.users[leaks]), np.append(train.items, test.items[leaks])
        order = np.argsort(rows[0], kind="stable")
        counts = np.bincount(rows[0], minlength=interactions.summary.users).astype(np.int32)
        pairs = Pairs(rows[0][order], rows[1][order])
        shard = write_shard(str(folder), Shard(0, 0, pairs, test, validation, counts, None), 1)
        replace(interactions.summary, interactions=shard.summary.rows, shards=(shard.summary,)).write(str(folder))
        return str(folder)

    def train(
        self, folder: Path, seed: int, interactions: str | None = None, /, **changed: object
    ) -> tuple[str, Mapping[str, str] | None]:
        """Trains once more.

        Args:
          folder: where to.
          seed: of the training.
          interactions: the URI of those that it reads; None: the same.
          **changed: keys of the section `trainer` that are not as they were.

        Returns:
          The folder of the SavedModel, and digests of what was exported.
        """
        config = self.trainer.model_copy(update=changed)
        custom: JsonObject = {
            "config": config.model_dump(mode="json"),
            "seed": seed,
            "checkpoint_root": "",
            "push_destination": "",
            "code_version": "",
            "interactions": interactions or self.interactions,
        }
        with noise_to_file(self.root / "log"):
            run_fn(
                FnArgs(
                    train_files=[f"{self.examples}/Split-train/*"],
                    transform_graph_path=self.vocabulary,
                    serving_model_dir=str(folder / "Format-Serving"),
                    model_run_dir=str(folder / "run"),
                    custom_config=custom,
                )
            )
        return str(folder / "Format-Serving"), _exported(str(folder / "run"))

    def export(
        self,
        folder: Path,
        arrays: Arrays,
        data: "Ground",
        vocabulary: Vocabulary,
        items: npt.NDArray[np.int64] | None = None,
    ) -> str:
        """Exports a model of this shape to serve other data.

        Args:
          folder: where to.
          arrays: the tables of users, and what its probabilities are made with.
          data: whose users it serves, and what these have seen.
          vocabulary: their ids, as the model is to take them.
          items: the places, among this model's, of the items that it gets; None: of all of them.

        Returns:
          The folder of the SavedModel.
        """
        arguments = json.loads(Path(self._artifact("Trainer/model"), "keras", "config.json").read_text())
        trained = NeuMF(**arguments)
        trained.load_weights(Path(self._artifact("Trainer/model"), "keras", "model.weights.h5"))
        users, item_table = arrays["measured_users"], np.asarray(trained.item_table)
        item_table = item_table if items is None else item_table[items]
        model = NeuMF(**{**arguments, "num_users": len(users), "num_items": len(item_table)})
        for variable, own in zip(model.variables, trained.variables, strict=True):
            variable.assign({"user_table": users, "item_table": item_table}.get(variable.name, own))
        slope, offset = arrays["catalog/probabilities"].tolist()
        seen = SeenItems.open(data.interactions, len(vocabulary.user_ids))
        served = arrays["_served_users"]
        with noise_to_file(self.root / "log"):
            ServingModel(model, vocabulary, seen, None, served, Probabilities(slope, offset)).save(str(folder))
        return str(folder)

    def _artifact(self, name: str) -> str:
        (found,) = filter(Path.is_dir, (self.root / "artifacts" / name).iterdir())
        return str(found)


def _exported(model_run: str) -> Mapping[str, str] | None:
    history = History.read(model_run)
    return None if history is None else history.exported
