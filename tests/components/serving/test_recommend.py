from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from components.artifacts.vocabulary import Vocabulary
from components.serving.exporter import ServingModel
from components.serving.recommend import recommend
from components.serving.seen_items import SeenItems
from components.shared.errors import UserError
from components.trainer.model import NeuMF

SEEN = SeenItems(np.array([0, 1, 2, 3], np.int32), np.array([1, 4], np.int64))
Push = Callable[..., Path]


@pytest.fixture
def push(tmp_path: Path) -> Push:
    """Pushes a model of two users and four items, as the version that is named."""

    def save(version: str, texts: bool = False, seed: int = 0) -> Path:
        users, items = np.array([10, 20]), np.array([100, 101, 102, 103])
        if texts:
            users, items = (np.array([f"é{id_}" for id_ in ids], object) for ids in (users, items))
        vocabulary = Vocabulary(users, items, np.array([5, 5]), np.array([4, 3, 2, 1]))
        model = NeuMF(2, 4, 3, (4, 2), embedding_stddev=1.0, seed=seed)
        ServingModel(model, vocabulary, SEEN).save(str(tmp_path / "serving" / version))
        return tmp_path / "serving"

    return save


@pytest.mark.parametrize("texts", [False, True])
def test_items_that_were_met_are_not_recommended(push: Push, texts: bool) -> None:
    user, items = ("é20", ["é100"]) if texts else ("20", ["100"])
    (found,) = recommend(str(push("1", texts)), [user], k=10)
    assert (found.user, found.known, found.items) == (user, True, items)
    assert len(found.scores) == 1


def test_best_come_first_and_as_many_as_were_asked_for(push: Push) -> None:
    one, two = recommend(str(push("1")), ["10", "10"], k=2)
    assert one == two
    assert len(one.items) == 2
    assert one.scores == sorted(one.scores, reverse=True)
    assert "100" not in one.items


def test_somebody_unknown_gets_what_is_popular(push: Push) -> None:
    (found,) = recommend(str(push("1")), ["30"], k=3)
    assert not found.known
    assert found.items == ["100", "101", "102"]


def test_the_newest_version_is_asked(push: Push) -> None:
    push("9", seed=1)
    serving = push("10", seed=2)
    newest, older = (recommend(str(serving / version), ["10"], k=3) for version in ("10", "9"))
    assert recommend(str(serving), ["10"], k=3) == newest != older


def test_where_there_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"--model .*: there is neither a SavedModel nor a folder of versions"):
        recommend(str(tmp_path), ["1"], k=3)


def test_a_model_that_cannot_recommend(tmp_path: Path) -> None:
    import tensorflow as tf

    tf.saved_model.save(tf.Module(), str(tmp_path / "1"))
    with pytest.raises(UserError, match=r"lacks the signature recommend; train and push a new one"):
        recommend(str(tmp_path), ["1"], k=3)


@pytest.mark.parametrize("user", ["é20", "1.5", "99999999999999999999"])
def test_an_id_that_cannot_be_one(push: Push, user: str) -> None:
    with pytest.raises(UserError, match=rf"--user {user}: the user ids of this model are whole numbers"):
        recommend(str(push("1")), [user], k=3)


def test_the_command_shows_a_table_for_each_user(push: Push, capfd: pytest.CaptureFixture[str]) -> None:
    from pipeline.cli import main

    result = CliRunner().invoke(
        main, ["recommend", "--model", str(push("1")), "--user", "20", "--user", "30", "-k", "1"]
    )
    assert result.exit_code == 0
    printed = [line.rstrip() for line in (result.output + capfd.readouterr().out).splitlines() if line.strip()]
    assert printed[0] == "user 20"
    assert printed[1].split() == ["item", "score"]
    assert printed[2].split()[:2] == ["1", "100"]
    assert printed[3] == "user 30, whom the model does not know: the most popular items"
    assert printed[5].split() == ["1", "100", "1.6094"]
