"""What the service answers, held against the signatures of the model and against its weights."""

from pathlib import Path

import numpy as np
import pytest

from components.serving.contract import LOWEST_SCORE
from components.serving.loader import ServedModel
from pipeline.service.scoring import model as service_model
from pipeline.service.scoring.model import Model
from pipeline.service.scoring.refusals import RefusalError
from tests.pipeline.service.models import ITEM_IDS, ITEMS, TITLES, USER_IDS, USERS, push, seen_by


@pytest.fixture(scope="module", params=[False, True], ids=["numbers", "texts"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "1"
    push(path, texts=request.param)
    return path


@pytest.fixture(scope="module")
def model(folder: Path) -> Model:
    return Model(str(folder), "1")


@pytest.fixture(scope="module")
def user_ids(model: Model) -> list[str]:
    return [str(id_) + ("/é" if model._users_are_texts else "") for id_ in USER_IDS]


@pytest.fixture(scope="module")
def item_ids(model: Model) -> list[str]:
    return [str(id_) + ("/é" if model._users_are_texts else "") for id_ in ITEM_IDS]


def test_all_users_together_get_what_the_signature_recommends(model: Model, folder: Path, user_ids: list[str]) -> None:
    assert model.about["compiled"]
    asked = [(user, 1 + place % 35) for place, user in enumerate(user_ids)]
    served = ServedModel(str(folder), None)
    ids = np.array(user_ids, object) if model._users_are_texts else USER_IDS
    expected = served.recommend(ids, ITEMS)
    for (user, k), answer, items, scores in zip(
        asked, model.recommend(asked), expected["item_ids"], expected["scores"], strict=True
    ):
        unseen = int((scores > LOWEST_SCORE).sum())
        texts = [item.decode() if isinstance(item, bytes) else str(item) for item in items]
        assert [one["item"] for one in answer["items"]] == texts[: min(k, unseen)]
        np.testing.assert_allclose(
            [one["score"] for one in answer["items"]], scores[: min(k, unseen)], rtol=1e-4, atol=1e-5
        )
        assert (answer["user"], answer["known_user"], answer["version"]) == (user, True, "1")


def test_somebody_unknown_gets_what_is_popular_beside_those_who_are_known(
    model: Model, user_ids: list[str], item_ids: list[str]
) -> None:
    unknown = "nobody" if model._users_are_texts else "-5"
    known, popular = model.recommend([(user_ids[3], 4), (unknown, 3)])
    assert (known["user"], known["known_user"]) == (user_ids[3], True)
    assert not popular["known_user"]
    assert [item["item"] for item in popular["items"]] == item_ids[:3]
    assert [item["title"] for item in popular["items"]] == TITLES[:3]


def test_the_signature_and_the_compiled_loops_answer_alike(
    folder: Path, monkeypatch: pytest.MonkeyPatch, model: Model, user_ids: list[str]
) -> None:
    monkeypatch.setattr(service_model, "best_of", lambda *_: None)
    by_signature = Model(str(folder), "1")
    assert not by_signature.about["compiled"]
    asked = [(user_ids[0], 5), ("0", 4), (user_ids[-1], 3)]
    for one, other in zip(model.recommend(asked), by_signature.recommend(asked), strict=True):
        assert {**one, "items": 0} == {**other, "items": 0}
        assert [item["item"] for item in one["items"]] == [item["item"] for item in other["items"]]


def test_a_history_is_what_the_user_has_seen_the_latest_first(
    model: Model, user_ids: list[str], item_ids: list[str]
) -> None:
    for user in (0, 8, USERS - 1):
        found = model.history(user_ids[user], 5)
        seen = seen_by(user)
        assert found["seen"] == len(seen)
        assert [item["item"] for item in found["items"]] == [item_ids[item] for item in seen[::-1][:5]]


def test_similar_items_are_those_of_the_signature(model: Model, folder: Path, item_ids: list[str]) -> None:
    id_ = item_ids[4] if model._users_are_texts else ITEM_IDS[4]
    expected = ServedModel(str(folder), None).similar_items(np.array([id_]), 3)
    found = model.similar(item_ids[4], 3)
    assert [item["item"] for item in found["items"]] == [
        item.decode() if isinstance(item, bytes) else str(item) for item in expected["item_ids"][0]
    ]
    assert [item["score"] for item in found["items"]] == expected["similarities"][0].tolist()
    assert (found["item"], found["title"]) == (item_ids[4], TITLES[4])
    assert len(model.similar(item_ids[4], 100)["items"]) == ITEMS - 1


def test_what_the_model_does_not_know_is_refused(model: Model) -> None:
    for ask in (lambda: model.history("999999", 3), lambda: model.similar("999999", 3)):
        with pytest.raises(RefusalError, match="does not know") as refused:
            ask()
        assert refused.value.status == 404


def test_known_users_are_spread_over_all(model: Model, user_ids: list[str]) -> None:
    found = model.users(3)
    assert found["known"] == USERS
    assert [user["user"] for user in found["users"]] == [user_ids[0], user_ids[19], user_ids[-1]]
    assert [user["seen"] for user in found["users"]] == [1, 2, 4]
    assert len(model.users(100)["users"]) == USERS


def test_items_are_found_by_title_and_by_id(model: Model, item_ids: list[str]) -> None:
    assert [item["title"] for item in model.items("tLE 2", 3)["items"]] == ["Title 2", "Title 21", "Title 22"]
    assert [item["item"] for item in model.items("187", 3)["items"]] == [item_ids[29]]
    assert model.items("nothing has this", 3)["items"] == []


def test_somebody_new_is_known_by_what_they_did(model: Model, folder: Path, item_ids: list[str]) -> None:
    ids = np.array([[id_.encode() for id_ in item_ids[2:5]]], object) if model._users_are_texts else ITEM_IDS[None, 2:5]
    expected = ServedModel(str(folder), None).recommend_for_items(ids, 4)["item_ids"][0]
    found = model.recommend_for(None, item_ids[2:5], 4)
    assert (found["user"], found["known_user"], found["known_items"]) == (None, False, 3)
    assert [item["item"] for item in found["items"]] == [
        item.decode() if isinstance(item, bytes) else str(item) for item in expected
    ]


def test_a_user_who_is_known_is_not_judged_by_given_items(
    model: Model, user_ids: list[str], item_ids: list[str]
) -> None:
    assert model.recommend_for(user_ids[2], item_ids[:1], 4) == model.recommend([(user_ids[2], 4)])[0]
    unknown = "nobody" if model._users_are_texts else "-5"
    assert model.recommend_for(unknown, item_ids[:1], 4)["known_items"] == 1


def test_a_model_that_declares_nothing_recommends_by_its_signatures_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("components.serving.exporter.CATALOG", "of_another_release")
    push(tmp_path / "1", folding=False)
    model = Model(str(tmp_path / "1"), "1")
    assert model.recommend([("11", 3)])[0]["known_user"]
    for ask in (
        lambda: model.history("11", 3),
        lambda: model.users(3),
        lambda: model.items("", 3),
        lambda: model.similar("100", 3),
        lambda: model.recommend_for(None, ["100"], 3),
    ):
        with pytest.raises(RefusalError, match="train and push a new one") as refused:
            ask()
        assert refused.value.status == 400


def test_a_model_without_an_mlp_recommends_too(tmp_path: Path) -> None:
    push(tmp_path / "1", layers=())
    model = Model(str(tmp_path / "1"), "1")
    assert not model.about["compiled"]
    expected = ServedModel(str(tmp_path / "1"), None).recommend(USER_IDS[:2], 3)["item_ids"].astype(str).tolist()
    assert [[item["item"] for item in found["items"]] for found in model.recommend([("11", 3), ("18", 3)])] == expected
