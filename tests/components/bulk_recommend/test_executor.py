from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tfx.types import standard_artifacts

from components.artifacts.recommendations import RecommendationsSummary
from components.bulk_recommend.config import BulkConfig
from components.bulk_recommend.executor import Executor
from components.serving.loader import ServedModel
from components.shared import progress
from tests.components.trainer.conftest import ITEMS, USERS


class Notes(progress.Reporter):
    """Keeps what the step says."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def note(self, text: str) -> None:
        self.texts.append(text)


@pytest.fixture
def notes() -> Any:
    reporter = Notes()
    progress.show_on(reporter)
    yield reporter
    progress.show_on(progress.Reporter())


def recommend(pushed: Path, output: Path, k: int) -> None:
    model, recommendations = standard_artifacts.PushedModel(), standard_artifacts.InferenceResult()
    model.uri, recommendations.uri = str(pushed), str(output)
    properties = {**BulkConfig(k=k).to_properties(), "code_version": "1"}
    Executor().Do({"pushed_model": [model]}, {"recommendations": [recommendations]}, properties)


def test_everybody_gets_what_the_pushed_models_signature_gives(push: Any, tmp_path: Path, notes: Notes) -> None:
    recommend(push("mlp") / "1", tmp_path, k=3)

    found = pd.read_parquet(tmp_path / "recommendations.parquet")
    users = found["user"].unique()
    expected = ServedModel(str(push("mlp") / "1"), ITEMS).recommend(users, 3)
    assert len(users) == USERS
    np.testing.assert_array_equal(found["item"].to_numpy().reshape(USERS, 3), expected["item_ids"])
    np.testing.assert_allclose(found["score"].to_numpy().reshape(USERS, 3), expected["scores"], rtol=1e-4)
    assert RecommendationsSummary.read(str(tmp_path)) == RecommendationsSummary(k=3, users=USERS, rows=3 * USERS)
    assert notes.texts == [f"{3 * USERS} rows for {USERS} users: {tmp_path}/recommendations.parquet"]


def test_where_nothing_was_pushed_nothing_is_written(tmp_path: Path, notes: Notes) -> None:
    recommend(tmp_path / "never pushed", tmp_path / "recommendations", k=3)

    assert not list(tmp_path.iterdir())
    assert notes.texts == ["nothing was pushed, so nothing is recommended"]
