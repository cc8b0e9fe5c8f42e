"""What a version declares gives what its signatures do, without TensorFlow."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.artifacts.vocabulary import Vocabulary
from components.serving.contract import NO_ITEM, NO_ITEM_TEXT, RECOMMEND, RECOMMEND_FOR_ITEMS, SIMILAR_ITEMS
from components.serving.declared import DeclaredModel
from components.serving.exporter import ServingModel
from components.serving.loader import ServedModel
from components.serving.manifest import DamagedModelError, Manifest
from components.serving.recommend import recommend
from components.serving.saved.probabilities import Probabilities
from components.serving.saved.protocols import Folding as AnyFolding
from components.serving.seen_items import SeenItems
from components.serving.versions import add_version
from components.trainer.linear.folding import Folding, Reading
from components.trainer.model import NeuMF
from tests.components.serving.foldings import WeightedItems
from tests.components.trainer.conftest import ITEMS, USERS


def vectors(width: int, rows: int = ITEMS) -> np.ndarray:
    return np.random.default_rng([width, rows]).normal(size=(rows, width)).astype(np.float32)


TRAINED = [Reading(vectors(4), mean=True, offset=vectors(4, 1)[0])]
TRAINED_WITH_MLP = [*TRAINED, Reading(vectors(3), mean=True, offset=vectors(3, 1)[0])]
HISTORY = Reading(vectors(5))
RECENT = Reading(vectors(2), number=3, decay=0.6)

# Vocabulary, factors of the trained model, its layers, and how its rows and those of towers beside it are read.
CASES: dict[str, tuple[str, int, tuple[int, ...], list[Reading]]] = {
    "gmf": ("vocabulary_of_text", 4, (), TRAINED),
    "gmf, history": ("vocabulary", 4, (), [*TRAINED, HISTORY]),
    "gmf, recent items": ("vocabulary", 4, (), [*TRAINED, RECENT]),
    "towers alone": ("vocabulary_of_text", 0, (), [HISTORY, RECENT]),
    "mlp": ("vocabulary_of_text", 4, (6, 5, 4), TRAINED_WITH_MLP),
    "mlp of one layer": ("vocabulary", 4, (6, 5), TRAINED_WITH_MLP),
    "mlp, history": ("vocabulary", 4, (6, 5, 4, 3), [TRAINED[0], HISTORY, TRAINED_WITH_MLP[1]]),
    "mlp, both": ("vocabulary_of_text", 4, (6, 5, 4), [TRAINED[0], HISTORY, RECENT, TRAINED_WITH_MLP[1]]),
    "mlp alone": ("vocabulary", 0, (6, 4), TRAINED_WITH_MLP[1:]),
}


def model_of(factors: int, layers: tuple[int, ...], readings: list[Reading]) -> NeuMF:
    """One with a column of the user table for each that is read."""
    beside = [reading.vectors.shape[1] for reading in readings if not reading.mean]
    users, items = ([vectors(width, rows) for width in beside] for rows in (USERS, ITEMS))
    if not factors and not layers:
        return NeuMF.of_vectors(users, items)
    trained = NeuMF(USERS, ITEMS, factors, layers, embedding_stddev=0.7, seed=2)
    return trained.widened(users, items) if beside else trained


def pushed(inputs: Path, to: Path, case: str, folding: AnyFolding | None = None, alone: bool = False) -> str:
    """Pushes one of `CASES` as the Pusher does."""
    ids, factors, layers, readings = CASES[case]
    vocabulary = Vocabulary.open(str(inputs / ids))
    # One of the items has the id that stands for none.
    ids_with_none = vocabulary.item_ids.copy()
    ids_with_none[5] = NO_ITEM_TEXT if ids_with_none.dtype.kind == "O" else NO_ITEM
    vocabulary = dataclasses.replace(vocabulary, item_ids=ids_with_none)
    model = model_of(factors, layers, readings)
    seen = SeenItems.nothing(USERS) if alone else SeenItems.open(str(inputs / "interactions"), USERS)
    served = None if alone else vectors(model.user_table.shape[1], USERS) / 2
    serving = ServingModel(model, vocabulary, seen, folding or Folding(readings), served, Probabilities(0.5, -1.0))
    serving.save(str(to / "exported"))
    return add_version(str(to / "exported"), str(to / "serving"), Manifest.of(str(to / "exported")).write).path


@pytest.fixture(scope="module", params=CASES)
def both(request: pytest.FixtureRequest, inputs: Path, tmp_path_factory: Any) -> tuple[ServedModel, DeclaredModel]:
    """The same version, as TensorFlow answers and as it is computed here."""
    path = pushed(inputs, tmp_path_factory.mktemp("model"), request.param)
    declared = DeclaredModel.open(path)
    assert declared is not None
    return ServedModel(path, ITEMS), declared


def assert_same(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
        if name == "scores":
            np.testing.assert_allclose(found[name], array, rtol=2e-5, atol=1e-7)
        else:
            assert found[name].tolist() == array.tolist()


def raw(served: ServedModel, numbers: list[int]) -> np.ndarray:
    texts = served.takes_texts()["user_id"]
    return np.array([f"é-{number}" for number in numbers], object) if texts else np.array(numbers)


@pytest.mark.parametrize("k", [1, 3, 10, 1000])
def test_users_get_what_the_signature_gives_them(both: tuple[ServedModel, DeclaredModel], k: int) -> None:
    served, declared = both
    everybody = [1000 + 7 * user for user in range(USERS)]
    users = raw(served, [*everybody, 5, 1007, 2**40])  # two whom it does not know, and one who comes again
    found = declared.recommend(users, k)
    assert_same(found, served.recommend(users, k))
    assert found["known_user"].tolist() == [True] * USERS + [False, True, False]


@pytest.mark.parametrize("k", [1, 3, 10, 1000])
def test_items_lead_to_what_the_signature_gives(both: tuple[ServedModel, DeclaredModel], k: int) -> None:
    served, declared = both
    places = [
        [3], [3, 7, 11], [11, 7, 3], [3, 7, 3, 11, 3], [1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12],
        list(range(ITEMS)), [ITEMS], [ITEMS, 3, ITEMS, 7],
    ]  # fmt: skip
    for row in places:
        items = raw(served, [1000 + 7 * place for place in row])[None]
        assert_same(declared.recommend_for_items(items, k), served.recommend_for_items(items, k))
    none = np.array([[NO_ITEM_TEXT if declared.takes_texts(RECOMMEND_FOR_ITEMS)["item_ids"] else NO_ITEM]])
    assert_same(declared.recommend_for_items(none, k), served.recommend_for_items(none.astype(items.dtype), k))


def test_it_knows_whom_the_model_knows(both: tuple[ServedModel, DeclaredModel]) -> None:
    served, declared = both
    for signature in (RECOMMEND, RECOMMEND_FOR_ITEMS):
        assert declared.answers(signature)
        assert declared.takes_texts(signature) == served.takes_texts(signature)
    assert not declared.answers(SIMILAR_ITEMS)
    catalog = served.catalog()
    assert catalog is not None
    for name, array in vars(declared.catalog()).items():
        np.testing.assert_array_equal(array, getattr(catalog, name))


def test_of_users_who_have_seen_nothing_and_weights_that_are_no_numbers(inputs: Path, tmp_path: Path) -> None:
    broken = [Reading(np.where(np.arange(4) == 2, np.nan, vectors(4)).astype(np.float32))]
    path = pushed(inputs, tmp_path, "gmf", Folding(broken), alone=True)
    served, declared = ServedModel(path, ITEMS), DeclaredModel.open(path)
    assert declared is not None
    users = raw(served, [1000, 1007])
    assert_same(declared.recommend(users, 1000), served.recommend(users, 1000))
    assert (declared.recommend_for_items(users[None], 3)["scores"] == np.finfo(np.float32).min).all()


def test_a_folding_that_is_no_such_sum_is_left_to_the_signature(inputs: Path, tmp_path: Path) -> None:
    path = pushed(inputs, tmp_path, "gmf", WeightedItems(vectors(4)))
    declared = DeclaredModel.open(path)
    assert declared is not None
    assert (declared.answers(RECOMMEND), declared.answers(RECOMMEND_FOR_ITEMS)) == (True, False)
    (found,) = recommend(path, [], 3, ["é-1007", "é-1014"])
    expected = ServedModel(path, ITEMS).recommend_for_items(np.array([["é-1007", "é-1014"]], object), 3)
    assert found.items == [item.decode() for item in expected["item_ids"][0]]


def test_a_version_that_is_not_what_was_pushed_is_left_to_who_says_so(inputs: Path, tmp_path: Path) -> None:
    path = pushed(inputs, tmp_path, "mlp")
    file = Path(path) / "variables" / "variables.data-00000-of-00001"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    assert DeclaredModel.open(path) is None
    with pytest.raises(DamagedModelError, match=r"data-00000-of-00001 is not what was pushed"):
        recommend(str(tmp_path / "serving"), ["é-1007"], 3)


@pytest.mark.parametrize("case", ["mlp", "gmf, history"], ids=["text ids", "whole numbers"])
@pytest.mark.parametrize("name", ["variables.index", "variables.data-00000-of-00001"])
def test_a_model_without_a_manifest_is_read_by_its_own_checksums(
    inputs: Path, tmp_path: Path, case: str, name: str
) -> None:
    pushed(inputs, tmp_path, case)
    folder = tmp_path / "exported"
    assert DeclaredModel.open(str(folder)) is None, "a version has a manifest"
    model = DeclaredModel.open(str(folder), pushed=False)
    assert model is not None
    users = np.array(["é-1000", "é-1007"], object) if case == "mlp" else np.array([1000, 1007])
    expected = model.recommend(users, 3)
    assert expected["known_user"].all()
    file = folder / "variables" / name
    whole = file.read_bytes()
    for place in np.random.default_rng(0).integers(len(whole), size=40):
        content = bytearray(whole)
        content[place] ^= 1 << int(place) % 8
        file.write_bytes(content)
        damaged = DeclaredModel.open(str(folder), pushed=False)
        if damaged is not None:  # in what it does not read
            assert_same(damaged.recommend(users, 3), expected)
