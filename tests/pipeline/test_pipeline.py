"""What the steps are told by keys that are not of their own section."""

from pipeline.config import load_config
from pipeline.pipeline import Places, create_pipeline
from tests.e2e.conftest import PROJECT


def test_users_that_the_evaluator_asks_for_are_held_out_by_preprocess():
    config = load_config(PROJECT / "configs" / "synthetic.yaml", ["evaluator.new_users=0.1"])
    steps = {step.id: step for step in create_pipeline(config, Places.below("/root"), "1").components}
    for step in ("Preprocess", "Evaluator"):
        assert steps[step].exec_properties["new_users"] == 0.1
    assert "new_users" not in steps["Trainer"].exec_properties
