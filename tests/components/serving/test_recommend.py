from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from click.testing import CliRunner

from components.artifacts.vocabulary import Vocabulary
from components.serving.exporter import ServingModel
from components.serving.loader import ServedModel
from components.serving.recommend import recommend
from components.serving.seen_items import SeenItems
from components.serving.titles import read_titles
from components.shared.errors import UserError
from components.trainer.model import NeuMF
from tests.components.serving.foldings import WeightedItems

SEEN = SeenItems(np.array([0, 1, 2, 3], np.int32), np.array([1, 4], np.int64))
Push = Callable[..., Path]


@pytest.fixture(scope="module")
def push(tmp_path_factory: pytest.TempPathFactory) -> Push:
    """Pushes a model of two users and four items, once for each call that differs, to a place that may be named."""

    def save(
        version: str = "1",
        texts: bool = False,
        seed: int = 0,
        folding: bool = True,
        to: str = "",
        titles: list[str | None] | None = None,
    ) -> Path:
        serving = root / (to or f"texts-{texts}-folding-{folding}-titles-{bool(titles)}")
        if (serving / version).exists():
            return serving
        users, items = np.array([10, 20]), np.array([100, 101, 102, 103])
        if texts:
            users, items = (np.array([f"é{id_}" for id_ in ids], object) for ids in (users, items))
        vocabulary = Vocabulary(users, items, np.array([5, 5]), np.array([4, 3, 2, 1]), titles)
        model = NeuMF(2, 4, 3, (4, 2), embedding_stddev=1.0, seed=seed)
        by_items = WeightedItems(np.random.default_rng(seed).normal(size=(4, 5)).astype(np.float32))
        ServingModel(model, vocabulary, SEEN, by_items if folding else None).save(str(serving / version))
        return serving

    root = tmp_path_factory.mktemp("pushed")
    return save


@pytest.mark.parametrize("texts", [False, True])
def test_items_that_were_met_are_not_recommended(push: Push, texts: bool) -> None:
    user, items = ("é20", ["é100"]) if texts else ("20", ["100"])
    (found,) = recommend(str(push(texts=texts)), [user], k=10)
    assert (found.user, found.known_user, found.items) == (user, True, items)
    assert len(found.scores) == 1


def test_best_come_first_and_as_many_as_were_asked_for(push: Push) -> None:
    one, two = recommend(str(push()), ["10", "10"], k=2)
    assert one == two
    assert len(one.items) == 2
    assert one.scores == sorted(one.scores, reverse=True)
    assert "100" not in one.items


def test_somebody_unknown_gets_what_is_popular(push: Push) -> None:
    (found,) = recommend(str(push()), ["30"], k=3)
    assert not found.known_user
    assert found.items == ["100", "101", "102"]


def test_the_newest_version_is_asked(push: Push) -> None:
    push("9", seed=1, to="versions")
    serving = push("10", seed=2, to="versions")
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


@pytest.mark.parametrize("texts", [False, True])
def test_somebody_without_an_id_gets_what_goes_with_the_given_items(push: Push, texts: bool) -> None:
    given = ["é100", "é102", "é999"] if texts else ["100", "102", "999"]
    (found,) = recommend(str(push(texts=texts)), [], k=10, given=given)
    assert (found.user, found.known_user, found.known_items) == (None, False, 2)
    assert sorted(found.items) == (["é101", "é103"] if texts else ["101", "103"])
    assert found.scores == sorted(found.scores, reverse=True)


def test_items_count_for_users_that_the_model_does_not_know(push: Push) -> None:
    serving = str(push())
    known, unknown = recommend(serving, ["10", "30"], k=10, given=["103"])
    (alone,) = recommend(serving, ["10"], k=10)
    assert (known.items, known.known_user) == (alone.items, True)
    assert known.scores == pytest.approx(alone.scores)  # the last digit depends on how many are asked for at once
    (by_items,) = recommend(serving, [], k=10, given=["103"])
    assert (unknown.user, unknown.known_user, unknown.known_items) == ("30", False, 1)
    assert (unknown.items, unknown.scores) == (by_items.items, by_items.scores)


def test_a_model_that_knows_users_alone(push: Push) -> None:
    serving = str(push(folding=False))
    assert recommend(serving, ["10"], k=1)
    for users in ([], ["10"]):
        with pytest.raises(UserError, match=r"lacks the signature recommend_for_items; train and push a new one"):
            recommend(serving, users, k=3, given=["100"])


def test_an_item_that_cannot_be_one(push: Push) -> None:
    with pytest.raises(UserError, match=r"--items 1.5: the item ids of this model are whole numbers"):
        recommend(str(push()), [], k=3, given=["100", "1.5"])


@pytest.mark.parametrize("user", ["é20", "1.5", "99999999999999999999"])
def test_an_id_that_cannot_be_one(push: Push, user: str) -> None:
    with pytest.raises(UserError, match=rf"--user {user}: the user ids of this model are whole numbers"):
        recommend(str(push()), [user], k=3)


@pytest.fixture
def printed(push: Push, capfd: pytest.CaptureFixture[str]) -> Callable[..., list[str]]:
    """The lines that the command prints."""
    from pipeline.cli import main

    plain = str(push())

    def run(*arguments: str, exit_code: int = 0, serving: str = plain) -> list[str]:
        result = CliRunner().invoke(main, ["recommend", "--model", serving, *arguments])
        assert result.exit_code == exit_code
        return [line.rstrip() for line in (result.output + capfd.readouterr().out).splitlines() if line.strip()]

    return run


def test_the_command_shows_a_table_for_each_user(printed: Callable[..., list[str]]) -> None:
    lines = printed("--user", "20", "--user", "30", "-k", "1")
    assert lines[0] == "user 20"
    assert lines[1].split() == ["item", "score"]
    assert lines[2].split()[:2] == ["1", "100"]
    assert lines[3] == "user 30, whom the model does not know: the most popular items"
    assert lines[5].split() == ["1", "100", "0.4000"]


def test_the_command_says_what_an_answer_goes_by(printed: Callable[..., list[str]]) -> None:
    for items, told in {
        "100,102": "by the 2 given items",
        '"100",102,9': "by 2 of the 3 given items",
        "9": "the most popular items, as the model does not know the given item",
    }.items():
        assert printed("--items", items)[0] == told
    assert printed("--user", "30", "--items", "100")[0] == ("user 30, whom the model does not know: by the given item")
    assert printed("--user", "20", "--items", "100")[0] == "user 20"


def test_the_command_needs_to_know_for_whom(printed: Callable[..., list[str]]) -> None:
    for arguments in ([], ["--items", ""]):
        (line,) = printed(*arguments, exit_code=2)
        assert line.startswith("error: whom to recommend to? Give --user ID, or --items ID,ID,...")


@pytest.mark.parametrize("items", ["100,,102", "100,", '"100', "100\n102"])
def test_items_that_are_no_list(printed: Callable[..., list[str]], items: str) -> None:
    (line,) = printed("--items", items, exit_code=2)
    assert line.startswith("error: --items ")


@pytest.mark.parametrize("texts", [False, True])
def test_a_model_carries_the_titles_of_its_items(push: Push, texts: bool) -> None:
    serving = str(push(texts=texts, titles=["Heat", None, "Big [bold]", None]))
    (found,) = recommend(serving, ["30"], k=3)
    assert found.titles == ["Heat", None, "Big [bold]"]
    assert recommend(str(push(texts=texts)), ["30"], k=3)[0].titles == []
    prefix = "é" if texts else ""
    assert read_titles(f"{serving}/1") == {f"{prefix}100": "Heat", f"{prefix}102": "Big [bold]"}


def test_the_command_shows_titles_beside_ids(push: Push, printed: Callable[..., list[str]]) -> None:
    serving = str(push(titles=["Heat", None, "Big [bold]", None]))
    lines = printed("--user", "30", "-k", "3", serving=serving)
    assert lines[1].split() == ["item", "title", "score"]
    assert lines[-1] == "it knows, for example: 10, 20"
    assert [line.split() for line in lines[2:-1]] == [
        ["1", "100", "Heat", "0.4000"],
        ["2", "101", "0.3000"],
        ["3", "102", "Big", "[bold]", "0.2000"],
    ]


def test_a_damaged_version_is_passed_over_aloud(push: Push, printed: Callable[..., list[str]]) -> None:
    push("9", seed=1, to="damaged")
    serving = push("10", seed=2, to="damaged")
    (serving / "10" / "saved_model.pb").write_bytes(b"")

    warning, *answer = printed("--user", "10", serving=str(serving))

    assert warning == f"warning: version 10 is damaged, and 9 is taken instead; remove {serving / '10'}, or push again"
    assert answer == printed("--user", "10", serving=str(serving / "9"))


def test_what_is_served_multiplies_float32_without_rounding_it(push: Push) -> None:
    tf.config.experimental.enable_tensor_float_32_execution(True)
    ServedModel(str(push() / "1"), None)
    assert not tf.config.experimental.tensor_float_32_execution_enabled()
