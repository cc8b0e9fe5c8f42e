from typing import Any

import numpy as np
import pytest

from components.bulk_recommend.fast import FastRecommender, fastest
from components.serving.loader import ServedModel
from tests.components.bulk_recommend.conftest import CASES
from tests.components.trainer.conftest import ITEMS


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("k", [3, 1000])
def test_it_recommends_what_the_signature_does(push: Any, case: str, k: int) -> None:
    served = ServedModel(str(push(case) / "1"), ITEMS)
    fast = fastest(served)
    assert isinstance(fast, FastRecommender)
    texts = served.takes_texts()["user_id"]
    numbers = [1000, 1399, 5, 1007]
    users = np.array([f"é-{number}" for number in numbers], object) if texts else np.array(numbers)
    expected, found = served.recommend(users, k), fast.recommend(users, k)
    assert found["known_user"].tolist() == [True, True, False, True]
    np.testing.assert_array_equal(found["item_ids"], expected["item_ids"])
    np.testing.assert_allclose(found["scores"], expected["scores"], rtol=1e-4)
    for name, array in expected.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)


def test_a_model_whose_scores_are_others_is_asked_itself(push: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    served = ServedModel(str(push("mlp") / "1"), ITEMS)
    catalog = served.catalog()
    assert catalog is not None
    catalog.probabilities[0] *= 1.1
    monkeypatch.setattr(served, "catalog", lambda: catalog)
    assert fastest(served) is served
