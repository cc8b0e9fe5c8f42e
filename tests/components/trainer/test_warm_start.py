"""A training that starts where another one ended, by raw id."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from components.artifacts.vocabulary import Vocabulary
from components.serving.trained import TRAINED_FILE, Trained, read_newest_trained, write_trained
from components.shared.errors import UserError
from components.trainer.model import NeuMF
from components.trainer.run_fn import run_fn
from components.trainer.warm_start import from_champion, start_from, trained_weights
from tests.components.artifacts.handmade import write_interactions
from tests.components.trainer.conftest import ITEMS, USERS, Workspace
from tests.damaged_zips import DAMAGE, damaged_zip


def vocabulary(users: list, items: list) -> Vocabulary:
    texts = isinstance(users[0], str)
    ids = [np.array(some, np.object_ if texts else np.int64) for some in (users, items)]
    return Vocabulary(*ids, *(np.ones(len(some), np.int64) for some in (users, items)))


def model(users: int, items: int, seed: int = 0, layers: tuple[int, ...] = (8, 4)) -> NeuMF:
    return NeuMF(users, items, 3, layers, embedding_stddev=1.0, seed=seed)


def logits(of: NeuMF, users: list[int], items: list[int]) -> np.ndarray:
    return np.asarray(of.score_all(of.user_rows(np.array(users)), of.item_rows(np.array(items))))


OLD = vocabulary([10, 20, 30], [1, 2, 3, 4])


def test_pairs_that_both_know_are_scored_as_before_wherever_they_stand() -> None:
    champion, mine = model(3, 4), model(4, 5, seed=1)
    known = start_from(mine, trained_weights(champion, OLD), vocabulary([5, 10, 20, 30], [1, 2, 3, 4, 9]))
    assert known == (3, 4)
    np.testing.assert_array_equal(logits(mine, [1, 2, 3], [0, 1, 2, 3]), logits(champion, [0, 1, 2], [0, 1, 2, 3]))


def test_an_id_is_the_same_where_it_is_written_the_same() -> None:
    champion, mine = model(3, 4), model(2, 2, seed=1)
    known = start_from(mine, trained_weights(champion, OLD), vocabulary(["10", "x"], ["1", "01"]))
    assert known == (1, 1)
    np.testing.assert_array_equal(np.array(mine.user_table)[0], np.array(champion.user_table)[0])


def test_new_rows_come_into_the_coordinates_of_the_champion() -> None:
    random = np.random.default_rng(0)
    ids = list(range(30))
    champion, mine = model(20, 20), model(30, 20, seed=1)
    turn = np.linalg.qr(random.normal(size=(7, 7)))[0].astype(np.float32)
    everyone = random.normal(size=(30, 7)).astype(np.float32)
    champion.user_table.assign(everyone[:20] @ turn + 1)
    mine.user_table.assign(everyone)
    start_from(mine, trained_weights(champion, vocabulary(ids[:20], ids[:20])), vocabulary(ids, ids[:20]))
    np.testing.assert_allclose(np.array(mine.user_table), everyone @ turn + 1, atol=1e-4)


@pytest.mark.parametrize("other", [model(3, 4, layers=(8, 6)), model(3, 4, layers=())], ids=["wider", "one tower"])
def test_a_champion_of_another_shape_changes_nothing(other: NeuMF) -> None:
    mine = model(3, 4)
    before = [np.array(variable) for variable in mine.variables]
    assert start_from(mine, trained_weights(other, OLD), OLD) is None
    for variable, values in zip(mine.variables, before, strict=True):
        np.testing.assert_array_equal(np.array(variable), values)


def test_strangers_change_nothing() -> None:
    mine = model(3, 4)
    assert start_from(mine, trained_weights(model(3, 4, seed=1), vocabulary([1, 2, 3], [5, 6, 7, 8])), OLD) is None


def push(folder: Path, version: str, trained: Trained | None) -> None:
    (folder / version).mkdir(parents=True)
    if trained:
        write_trained(str(folder / version), trained)
    (folder / version / "saved_model.pb").touch()


@pytest.mark.parametrize("texts", [False, True])
def test_the_newest_version_that_carries_weights_is_read(texts: bool, tmp_path: Path) -> None:
    ids = vocabulary(["é", "b"], ["c"]) if texts else vocabulary([1, 2], [3])
    push(tmp_path, "1", trained_weights(model(2, 1), ids))
    push(tmp_path, "2", trained_weights(champion := model(2, 1, seed=5), ids))
    push(tmp_path, "3", None)
    found = read_newest_trained(str(tmp_path))
    assert found is not None
    assert found[0].name == "2"
    assert found[1].user_ids.tolist() == ids.user_ids.tolist()
    np.testing.assert_array_equal(found[1].weights["user_table"], np.array(champion.user_table))


def test_the_same_weights_are_the_same_bytes(tmp_path: Path) -> None:
    for version in ("1", "2"):
        push(tmp_path, version, trained_weights(model(3, 4), OLD))
    one, other = ((tmp_path / version / TRAINED_FILE).read_bytes() for version in ("1", "2"))
    assert one == other


@pytest.mark.parametrize("damage", [*DAMAGE, None])
def test_damaged_weights_are_told(tmp_path: Path, damage: str | None) -> None:
    push(tmp_path, "1", trained_weights(model(3, 4), OLD))
    file = tmp_path / "1" / TRAINED_FILE
    whole = file.read_bytes()
    file.write_bytes(damaged_zip(whole, damage) if damage else whole[:-200])
    with pytest.raises(UserError, match=r"1/assets.extra/trained.npz is damaged .* trainer.warm_start=none"):
        from_champion(str(tmp_path), OLD)


def test_without_a_champion_training_starts_anew(tmp_path: Path) -> None:
    assert from_champion("", OLD) is None
    assert from_champion(str(tmp_path / "nothing"), OLD) is None


def test_rows_that_are_held_out_at_random_allow_no_champion(workspace: Workspace) -> None:
    rows = {"train": [(user, user % ITEMS) for user in range(USERS)]}
    write_interactions(str(workspace.root / "interactions"), rows, USERS, ITEMS, holdout="random")
    arguments = replace(workspace, interactions=workspace.root / "interactions").fn_args(warm_start="champion")
    with pytest.raises(UserError, match=r"trainer\.warm_start: champion needs data whose latest rows are held out"):
        run_fn(arguments)


def test_a_second_training_starts_where_the_first_one_ended(workspace: Workspace) -> None:
    options = {"warm_start": "champion", "learning_rate": 0.01}
    run_fn(workspace.fn_args("first", epochs=3, **options))
    shutil.copytree(workspace.model("first") / "Format-Serving", workspace.root / "serving" / "1")
    run_fn(workspace.fn_args("second", seed=1, epochs=1, **options))
    first, second = (
        json.loads((workspace.model_run(name) / "history.json").read_text()) for name in ("first", "second")
    )
    best = max((first["start"] or {"ndcg@10": 0})["ndcg@10"], *(epoch["ndcg@10"] for epoch in first["epochs"]))
    assert second["start"]["ndcg@10"] == pytest.approx(best)
