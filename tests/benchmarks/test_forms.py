from pathlib import Path

import numpy as np

from benchmarks.forms import write_forms
from benchmarks.preprocess import run_ours
from components.artifacts.interactions import Interactions
from components.preprocess.datasets.synthetic_generator import SyntheticConfig


def test_all_forms_hold_the_same_ratings(tmp_path: Path) -> None:
    forms = write_forms(tmp_path, SyntheticConfig(users=60, items=200, interactions=3_000))
    found = {}
    for form, path in forms.items():
        run_ours(str(path), str(tmp_path / form))
        found[form] = Interactions(str(tmp_path / form / "interactions")).split("train")
    assert len(found["integers"].users) > 1_000
    for form in ("iso", "json"):
        for own, integers in zip(found[form], found["integers"], strict=True):
            np.testing.assert_array_equal(own, integers)
