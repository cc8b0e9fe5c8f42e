"""A training that goes on from the champion, by raw id."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.artifacts.interactions import Pairs
from components.artifacts.vocabulary import Vocabulary
from components.serving.saved.probabilities import Probabilities
from components.serving.trained import TRAINED_FILE, Trained, read_newest_trained, write_trained
from components.shared.errors import UserError
from components.trainer.config import TrainerConfig
from components.trainer.linear import Histories, Parts, Whole
from components.trainer.linear.factors import Factors, Form
from components.trainer.linear.folding import Folding
from components.trainer.linear.towers import HISTORY, NEUMF, RECENT, Tower
from components.trainer.model import NeuMF
from components.trainer.run_fn import run_fn
from components.trainer.settings import Counts, settle
from components.trainer.warm_start import Champion, to_hand_on
from tests.components.artifacts.handmade import write_interactions
from tests.components.trainer.conftest import ITEMS, USERS, Workspace, liked
from tests.damaged_zips import DAMAGE, damaged_zip

CONFIG = TrainerConfig(num_factors=3, layers=(8, 4), epochs=10, warm_start="champion")
NOTHING = Pairs(np.zeros(0, np.int32), np.zeros(0, np.int32))
EACH = 20  # interactions of each user before


def vocabulary(users: list[Any], items: list[Any]) -> Vocabulary:
    texts = isinstance(users[0], str)
    ids = [np.array(some, np.object_ if texts else np.int64) for some in (users, items)]
    return Vocabulary(*ids, *(np.ones(len(some), np.int64) for some in (users, items)))


def model(users: int, items: int, seed: int = 0) -> NeuMF:
    return NeuMF(users, items, 3, (8, 4), embedding_stddev=1.0, seed=seed)


def logits(of: NeuMF, users: list[int], items: list[int]) -> np.ndarray:
    return np.asarray(of.score_all(of.user_rows(np.array(users)), of.item_rows(np.array(items))))


def histories(rows: list[int], items: int) -> Histories:
    """So many rows of each user."""
    users = np.repeat(np.arange(len(rows), dtype=np.int32), rows)
    random = np.random.default_rng(0)
    train = Pairs(users, random.integers(0, items, len(users), np.int32))
    return Histories(len(rows), items, train, NOTHING, NOTHING, in_order=True)


def parts(items: int) -> Parts:
    vectors = np.random.default_rng(1).standard_normal((4, items, 2)).astype(np.float32)
    history = Factors(vectors[0], vectors[1], Form(0.25, 0.1), np.array([3.0, 2.0]), rank=9)
    recent = Factors(vectors[2], vectors[3], Form(shrinkage=10.0))
    return Parts(
        {HISTORY: Tower(history), RECENT: Tower(recent, 10, 0.8)},
        {NEUMF: 0.5, HISTORY: 2.0, RECENT: 1.0},
        Probabilities(0.5, -1.0),
    )


OLD = vocabulary([10, 20, 30], [1, 2, 3, 4])
OLD_ROWS = histories([EACH] * 3, 4)


def handed_on(
    of: NeuMF | None = None,
    ids: Vocabulary = OLD,
    now: Histories | None = None,
    config: TrainerConfig = CONFIG,
    champion: Champion | None = None,
) -> Trained:
    """What a model was trained to."""
    users, items = len(ids.user_ids), len(ids.item_ids)
    trained, learnt = of or model(users, items), now or histories([EACH] * users, items)
    whole = Whole(trained, None, Folding([]), learnt, parts(items), None)
    return to_hand_on(trained, whole, ids, config, champion)


def push(folder: Path, version: str, trained: Trained | None) -> None:
    (folder / version).mkdir(parents=True)
    if trained:
        write_trained(str(folder / version), trained)
    (folder / version / "saved_model.pb").touch()


def find(
    folder: Path, ids: Vocabulary = OLD, now: Histories = OLD_ROWS, config: TrainerConfig = CONFIG
) -> Champion | None:
    counts = Counts(now.users, now.items, len(now.train.users), in_order=True, batch_size=64)
    return Champion.find(str(folder), ids, now, config, settle(config, counts))


def found(folder: Path, *arguments: Any) -> Champion:
    champion = find(folder, *arguments)
    assert champion is not None
    return champion


def test_pairs_that_both_know_are_scored_as_before_wherever_they_stand(tmp_path: Path) -> None:
    champion, mine = model(3, 4), model(4, 5, seed=1)
    push(tmp_path, "1", handed_on(champion))
    now = vocabulary([5, 10, 20, 30], [1, 2, 3, 4, 9])
    found(tmp_path, now, histories([1, EACH, EACH, EACH], 5)).start(mine)
    np.testing.assert_array_equal(logits(mine, [1, 2, 3], [0, 1, 2, 3]), logits(champion, [0, 1, 2], [0, 1, 2, 3]))


def test_an_id_is_the_same_where_it_is_written_the_same(tmp_path: Path) -> None:
    champion, mine = model(3, 4), model(4, 6, seed=1)
    push(tmp_path, "1", handed_on(champion))
    now = vocabulary(["10", "20", "30", "x"], ["01", "1", "2", "3", "4", "5"])
    found(tmp_path, now, histories([EACH, EACH, EACH, 1], 6)).start(mine)
    np.testing.assert_array_equal(np.array(mine.user_table)[:3], np.array(champion.user_table))
    np.testing.assert_array_equal(np.array(mine.item_table)[1:5], np.array(champion.item_table))


def test_new_rows_are_what_their_interactions_say(tmp_path: Path) -> None:
    """Rows that are sums of the other side's, divided by the root of their number, are found so for new users too."""
    ids, everyone = list(range(60)), histories([EACH] * 60, 30)
    turn = np.random.default_rng(2).standard_normal((7, 7)).astype(np.float32)
    expected = (
        (everyone.seen.toarray() / np.sqrt(everyone.seen.sum(axis=1).A)) @ np.array(model(60, 30).item_table) @ turn
    )
    champion, mine = model(57, 30), model(60, 30, seed=1)
    champion.item_table.assign(np.array(model(60, 30).item_table))
    champion.user_table.assign(expected[:57])
    push(tmp_path, "1", handed_on(champion, vocabulary(ids[:57], ids[:30])))
    found(tmp_path, vocabulary(ids, ids[:30]), everyone).start(mine)
    np.testing.assert_array_equal(np.array(mine.user_table)[:57], expected[:57].astype(np.float32))
    np.testing.assert_allclose(np.array(mine.user_table)[57:], expected[57:], rtol=0.1, atol=0.1)


def test_the_parts_come_back_as_they_were(tmp_path: Path) -> None:
    push(tmp_path, "1", handed_on())
    back, handed = found(tmp_path).parts, parts(4)
    assert (back.weights, back.probabilities) == (handed.weights, handed.probabilities)
    assert list(back.towers) == list(handed.towers)
    for name, tower in back.towers.items():
        before = handed.towers[name]
        assert (tower.number, tower.decay) == (before.number, before.decay)
        assert (tower.factors.form, tower.factors.rank) == (before.factors.form, before.factors.rank)
        for key in ("read", "scored", "values"):
            np.testing.assert_array_equal(getattr(tower.factors, key), getattr(before.factors, key))


@pytest.mark.parametrize(("rows", "epochs"), [([20, 20, 20], 1), ([20, 20, 26], 1), ([20, 23, 23], 1)])
def test_a_training_is_as_short_as_little_is_new(rows: list[int], epochs: int, tmp_path: Path) -> None:
    push(tmp_path, "1", handed_on())
    champion = found(tmp_path, OLD, histories(rows, 4))
    assert champion.new_share == pytest.approx(1 - 60 / sum(rows))
    counts = Counts(3, 4, sum(rows), in_order=True, batch_size=64)
    after = champion.settings(settle(CONFIG, counts))
    assert (after.epochs, after.pretraining) == (epochs, "none")
    assert champion.settings(settle(CONFIG.model_copy(update={"epochs": 30}), counts)).epochs == max(
        1, int(np.ceil(30 * champion.new_share))
    )


def test_how_old_the_towers_are_is_handed_on(tmp_path: Path, notes: list[str]) -> None:
    push(tmp_path, "1", handed_on())
    second = histories([22, 22, 22], 4)
    champion = found(tmp_path, OLD, second)
    assert champion.outcome == (
        "from version 1, 9.1% of the interactions being new, and 10.0% since all was found anew"
    )
    push(tmp_path, "2", handed_on(now=second, champion=champion))
    assert find(tmp_path, OLD, histories([23, 23, 23], 4)) is None
    assert notes[-1] == "version 2 found what it is made of in 60 of 69 interactions: training starts anew"


@pytest.mark.parametrize(
    ("ids", "now", "config", "reason"),
    [
        (vocabulary([1, 2, 3], [1, 2, 3, 4]), OLD_ROWS, CONFIG, "knows none of these users, or none of these items"),
        (OLD, OLD_ROWS, CONFIG.model_copy(update={"gmf_l2": 0.1}), "was trained with another trainer.gmf_l2"),
        (OLD, histories([19, 22, 20], 4), CONFIG, "learnt rows that are not in the data"),
        (vocabulary([10, 20], [1, 2, 3, 4]), histories([30, 31], 4), CONFIG, "learnt rows that are not in the data"),
    ],
    ids=["strangers", "settings", "fewer rows", "a user is gone"],
)
def test_a_champion_that_does_not_suit_is_left_aside(
    ids: Vocabulary, now: Histories, config: TrainerConfig, reason: str, tmp_path: Path, notes: list[str]
) -> None:
    push(tmp_path, "1", handed_on())
    assert find(tmp_path, ids, now, config) is None
    assert notes == [f"version 1 {reason}: training starts anew"]


def test_where_it_trains_and_how_fast_is_no_other_setting(tmp_path: Path) -> None:
    push(tmp_path, "1", handed_on())
    assert find(tmp_path, config=CONFIG.model_copy(update={"device": "cpu", "steps_per_call": 8}))


def test_factors_that_a_rule_chose_may_be_others_now(tmp_path: Path, notes: list[str]) -> None:
    config = CONFIG.model_copy(update={"num_factors": "auto"})  # 64 of this much data
    push(tmp_path, "1", handed_on(config=config))
    assert find(tmp_path, config=config) is None
    assert notes == ["version 1 has another number of factors: training starts anew"]


@pytest.mark.parametrize("missing", ["about", "learnt", "history.read"])
def test_what_another_release_has_handed_on_is_left_aside(missing: str, tmp_path: Path, notes: list[str]) -> None:
    trained = handed_on()
    arrays = {name: array for name, array in trained.arrays.items() if name != missing}
    push(tmp_path, "1", replace(trained, arrays=arrays, about={} if missing == "about" else trained.about))
    assert find(tmp_path) is None
    assert notes == ["version 1 is of another release of this pipeline: training starts anew"]


@pytest.mark.parametrize("texts", [False, True])
def test_the_newest_version_that_carries_what_it_was_trained_to_is_read(texts: bool, tmp_path: Path) -> None:
    ids = vocabulary(["é", "b"], ["c"]) if texts else vocabulary([1, 2], [3])
    push(tmp_path, "1", handed_on(ids=ids))
    push(tmp_path, "2", handed_on(champion := model(2, 1, seed=5), ids))
    push(tmp_path, "3", None)
    newest = read_newest_trained(str(tmp_path))
    assert newest is not None
    assert newest[0].name == "2"
    assert newest[1].user_ids.tolist() == ids.user_ids.tolist()
    np.testing.assert_array_equal(newest[1].arrays["user_table"], np.array(champion.user_table))


def test_the_same_training_is_the_same_bytes(tmp_path: Path) -> None:
    for version in ("1", "2"):
        push(tmp_path, version, handed_on())
    one, other = ((tmp_path / version / TRAINED_FILE).read_bytes() for version in ("1", "2"))
    assert one == other


@pytest.mark.parametrize("damage", [*DAMAGE, None])
def test_damaged_arrays_are_told(tmp_path: Path, damage: str | None) -> None:
    push(tmp_path, "1", handed_on())
    file = tmp_path / "1" / TRAINED_FILE
    whole = file.read_bytes()
    file.write_bytes(damaged_zip(whole, damage) if damage else whole[:-200])
    with pytest.raises(UserError, match=r"1/assets.extra/trained.npz is damaged .* trainer.warm_start=none"):
        find(tmp_path)


def test_without_a_champion_training_starts_anew(tmp_path: Path, notes: list[str]) -> None:
    assert find(tmp_path / "nothing") is None
    push(tmp_path, "1", None)
    assert find(tmp_path) is None
    assert not notes


def test_rows_that_are_held_out_at_random_allow_no_champion(workspace: Workspace) -> None:
    rows = {"train": [(user, user % ITEMS) for user in range(USERS)]}
    write_interactions(str(workspace.root / "interactions"), rows, USERS, ITEMS, holdout="random")
    arguments = replace(workspace, interactions=workspace.root / "interactions").fn_args(
        warm_start="champion", validate_on="full"
    )
    with pytest.raises(UserError, match=r"trainer\.warm_start: champion needs data whose latest rows are held out"):
        run_fn(arguments)


def test_a_second_training_goes_on_where_the_first_one_ended(workspace: Workspace, notes: list[str]) -> None:
    options: dict[str, Any] = {
        "warm_start": "champion", "validate_on": "full",
        "epochs": 3, "learning_rate": 1e-6, "history_factors": 16, "recent_items": 5, "recent_factors": 8,
    }  # fmt: skip
    # Half of the users have a row more than the first training knew: they alone judge the second one.
    rows: Any = {"train": [], "validation": [], "test": []}
    for user in range(USERS):
        train, validation = (liked(user)[3:], liked(user)[2]) if user % 2 else (liked(user)[2:], liked(user)[0])
        rows["train"] += [(user, item) for item in train]
        rows["validation"].append((user, validation))
    write_interactions(str(workspace.root / "before"), rows, USERS, ITEMS)
    run_fn(replace(workspace, interactions=workspace.root / "before").fn_args("first", **options))
    shutil.copytree(workspace.model("first") / "Format-Serving", workspace.root / "serving" / "1")
    run_fn(workspace.fn_args("second", **options))
    assert notes[-1].startswith(
        "from version 1, 5.6% of the interactions being new, and 5.9% since all was found anew;"
    )
    first, second = (json.loads((workspace.model_run(run) / "history.json").read_text()) for run in ("first", "second"))
    assert (len(first["epochs"]), len(second["epochs"])) == (3, 1)
    assert second["config"]["epochs"] == 3  # as it was told
    assert second["blend"]["users"] == USERS // 2
    before, after = (
        json.loads((workspace.model(run) / "keras/config.json").read_text()) for run in ("first", "second")
    )
    assert before == after
