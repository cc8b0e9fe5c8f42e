from pathlib import Path

import pytest

from components.shared.errors import UserError
from pipeline.config import load_config
from pipeline.platforms.run_parameters import (
    INPUT_VERSION,
    RUN_PARAMETERS,
    default_values,
    descriptions,
    load_run,
    number_types,
)

FILES = ["dataset.kind=files", "dataset.path=gs://b/r.csv"]
CONFIG = Path(__file__).resolve().parents[3] / "configs" / "synthetic.yaml"


def test_defaults_are_those_of_the_configuration() -> None:
    values = default_values(
        load_config(
            CONFIG,
            [*FILES, "trainer.epochs=7", "dataset.item_column=2", "evaluator.minimum_hr=null", "trainer.batch_size=64"],
        )
    )
    assert set(values) == {*RUN_PARAMETERS, INPUT_VERSION} == set(descriptions())
    assert (values["epochs"], values["item_column"], values["seed"], values["batch_size"]) == (7, "2", 0, 64)
    assert (values["minimum_hr"], values["learning_rate"], values["baseline_margin"]) == (None, None, 0.0)


def test_what_may_be_null_or_auto_beside_a_number_is_a_number() -> None:
    assert number_types() == {
        "batch_size": int,
        **dict.fromkeys(
            ["min_rating", "learning_rate", "minimum_hr", "minimum_ndcg", "baseline_margin", "champion_margin"], float
        ),
    }


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


@pytest.mark.parametrize(
    ("assignments", "parameters", "message"),
    [
        ([], ["ratings=gs://b/r.csv"], "dataset.path is given, and dataset.kind is synthetic, which does not read it"),
        (["dataset.path=gs://b/r.csv"], [], "set dataset.kind to files or ncf, or leave dataset.path out"),
        ([], ["movielens=ml-1m"], "--param movielens=ml-1m: has no effect, as dataset.kind is synthetic; set dataset."),
        (["dataset.name=ml-1m"], [], "--set dataset.name=ml-1m: has no effect, as dataset.kind is synthetic; set data"),
        (FILES, ["dataset=movielens"], "dataset.path is given, and dataset.kind is movielens"),
        ([], ["user_column=customer"], "--param user_column=customer: has no effect, as dataset.kind is synthetic"),
    ],
)
def test_data_that_the_run_would_not_read_is_refused(
    assignments: list[str], parameters: list[str], message: str
) -> None:
    with pytest.raises(UserError) as error:
        load_run(CONFIG, assignments, parameters)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_null_takes_data_away() -> None:
    config, values = load_run(CONFIG, FILES, ["dataset=synthetic", "ratings=null"])
    assert (config.dataset.kind, values["dataset"], values["ratings"]) == ("files", "synthetic", "")
