import json

from tfx.components.evaluator import constants
from tfx.types import channel_utils, standard_artifacts

from components.evaluator.component import Evaluator
from components.evaluator.config import EvaluatorConfig


def test_component_declares_every_knob_and_both_outputs() -> None:
    component = Evaluator(
        model=channel_utils.as_channel([standard_artifacts.Model()]),
        examples=channel_utils.as_channel([standard_artifacts.Examples()]),
        interactions=channel_utils.as_channel([standard_artifacts.Examples()]),
        vocabulary=channel_utils.as_channel([standard_artifacts.TransformGraph()]),
        evaluator=EvaluatorConfig(minimum_hr=0.5),
        seed=3,
        code_version="abc",
        push_destination="/models",
        run_description={"pipeline": "neumf"},
    )
    assert component.exec_properties["push_destination"] == "/models"
    assert json.loads(component.exec_properties["run_description"]) == {"pipeline": "neumf"}
    assert EvaluatorConfig.from_properties(component.exec_properties) == EvaluatorConfig(minimum_hr=0.5)
    assert component.exec_properties["seed"] == 3
    assert component.exec_properties["code_version"] == "abc"
    assert component.outputs["blessing"].type is standard_artifacts.ModelBlessing
    assert component.outputs["evaluation"].type is standard_artifacts.ModelEvaluation


def test_blessing_has_the_names_that_tfx_gives_it() -> None:
    assert (constants.BLESSED_FILE_NAME, constants.NOT_BLESSED_FILE_NAME) == ("BLESSED", "NOT_BLESSED")
    assert constants.ARTIFACT_PROPERTY_BLESSED_KEY == "blessed"
    assert constants.ARTIFACT_PROPERTY_CURRENT_MODEL_URI_KEY == "current_model"
    assert constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY == "current_model_id"
