from pathlib import Path

import pytest

from components.shared.errors import UserError
from pipeline.config import load_config
from pipeline.platforms.run_parameters import INPUT_VERSION, RUN_PARAMETERS, default_values, descriptions, load_run

CONFIG = Path(__file__).resolve().parents[3] / "configs" / "synthetic.yaml"


def test_defaults_are_those_of_the_configuration() -> None:
    values = default_values(
        load_config(CONFIG, ["trainer.epochs=7", "dataset.item_column=2", "evaluator.minimum_hr=null"])
    )
    assert set(values) == {*RUN_PARAMETERS, INPUT_VERSION} == set(descriptions())
    assert (values["epochs"], values["item_column"], values["minimum_hr"], values["seed"]) == (7, "2", "", 0)


def test_a_run_has_its_own_values_and_the_pipeline_keeps_its_own() -> None:
    config, values = load_run(
        CONFIG,
        ["trainer.num_factors=8"],
        ["epochs=3", "dataset=files", "ratings=gs://b/r.csv", "image=i:2", "input_version=v2"],
    )
    assert (config.trainer.num_factors, config.trainer.epochs, config.dataset.kind) == (8, 10, "synthetic")
    assert config.cluster.image == "i:2"
    assert (values["epochs"], values["dataset"], values["ratings"], values[INPUT_VERSION]) == (
        3, "files", "gs://b/r.csv", "v2"
    )  # fmt: skip


def test_values_are_checked_together() -> None:
    with pytest.raises(UserError, match=r"dataset\.path is needed"):
        load_run(CONFIG, [], ["dataset=files"])
