"""Training on rows that it draws itself ends where training on files does."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.artifacts.examples import ExamplesSummary
from components.shared import progress
from components.shared.errors import UserError
from components.trainer.config import TrainerConfig
from components.trainer.data import Examples
from components.trainer.engines.devices import Device
from components.trainer.fitting import fit
from components.trainer.run_fn import run_fn
from tests.components.trainer.builders import settings
from tests.components.trainer.conftest import CONFIG, Workspace, workspace_at, write_likes
from tests.components.trainer.test_run_fn import assert_same_weights


@pytest.fixture(scope="module")
def from_files(by_source: dict[str, Path], inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace of the streamed examples, after a training on files under the name `files`."""
    workspace = workspace_at(tmp_path_factory.mktemp("from_files"), inputs)
    workspace.examples = by_source["files"]
    run_fn(workspace.fn_args("files"))
    workspace.examples = by_source["streamed"]
    return workspace


def test_the_same_weights_and_no_training_files(from_files: Workspace) -> None:
    assert not (from_files.examples / "Split-train").exists()
    run_fn(from_files.fn_args("streamed", steps_per_call=5))
    assert_same_weights(from_files.model("streamed"), from_files.model("files"))


class _Stop(Exception):  # noqa: N818 (it is no error)
    """Ends a training."""


class _StopsInThirdEpoch(progress.Reporter):
    epochs = 0

    @contextlib.contextmanager
    def bar(self, title: str, total: int) -> Iterator[progress.Bar]:
        yield self

    def advance(self, steps: int = 1) -> None:
        if self.epochs == 2 and steps:
            raise _Stop

    def describe(self, text: str) -> None:
        self.epochs += 1


def test_a_training_that_was_stopped_goes_on_in_the_middle(
    from_files: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch, pytest.raises(_Stop):
        patch.setattr(progress, "_reporter", _StopsInThirdEpoch())
        run_fn(from_files.fn_args("stopped"))
    assert not from_files.model("stopped").exists()
    run_fn(from_files.fn_args("resumed"))
    assert_same_weights(from_files.model("resumed"), from_files.model("files"))


@pytest.mark.parametrize(
    "fields",
    [{"precision": "mixed_bfloat16"}, {"pretraining": "als_towers", "pretraining_epochs": 2}],
    ids=["by XLA", "after towers and ALS"],
)
def test_other_trainings_end_the_same_too(
    by_source: dict[str, Path], inputs: Path, tmp_path: Path, fields: dict[str, Any]
) -> None:
    config = settings(**{**CONFIG, "epochs": 2, **fields})
    one, other = (
        fit(
            Examples.open(str(examples), str(inputs / "interactions")),
            config, 0, Device("cpu"), None, f"{tmp_path}/{source}", f"{tmp_path}/logs",
        ).model.get_weights()
        for source, examples in by_source.items()
    )  # fmt: skip
    for left, right in zip(one, other, strict=True):
        np.testing.assert_array_equal(left, right)


def test_rows_are_those_of_the_files(by_source: dict[str, Path], inputs: Path) -> None:
    files, streamed = (Examples.open(str(uri), str(inputs / "interactions")) for uri in by_source.values())
    for epoch in (0, 3):
        one, other = (np.concatenate(list(examples.training_rows(epoch)), axis=1) for examples in (files, streamed))
        np.testing.assert_array_equal(one, other)


def test_other_interactions_are_told(by_source: dict[str, Path], tmp_path: Path) -> None:
    write_likes(tmp_path / "interactions")
    summary = (tmp_path / "interactions" / "summary.json").read_text()
    known = ExamplesSummary.read(str(by_source["streamed"])).streamed
    assert known is not None
    (tmp_path / "interactions" / "summary.json").write_text(summary.replace(known.interactions, "another"))
    with pytest.raises(UserError, match=r"drawn from other interactions than those at .*; run NegativeGen again"):
        Examples.open(str(by_source["streamed"]), str(tmp_path / "interactions"))


def test_any_number_of_epochs_can_be_drawn(by_source: dict[str, Path], inputs: Path) -> None:
    config = TrainerConfig(batch_size=64, epochs=50)
    Examples.open(str(by_source["streamed"]), str(inputs / "interactions")).check(config)
    with pytest.raises(UserError, match="training needs 50 epochs"):
        Examples.open(str(by_source["files"]), str(inputs / "interactions")).check(config)
