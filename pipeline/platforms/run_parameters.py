"""What may be chosen for each run of a compiled pipeline. The defaults are those of its configuration."""

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tfx.orchestration.data_types import RuntimeParameter

from components.shared.errors import UserError
from components.shared.parameters import Section, number_type, property_type
from pipeline.config import Config, load_config

# What a run may be told: a number or a text; None leaves a number open, which is what null and auto are there.
Value = int | float | str | None

# The name of each parameter, and the key of the configuration that it stands for.
RUN_PARAMETERS = {
    "dataset": "dataset.kind",
    "ratings": "dataset.path",
    "movielens": "dataset.name",
    "user_column": "dataset.user_column",
    "item_column": "dataset.item_column",
    "timestamp_column": "dataset.timestamp_column",
    "rating_column": "dataset.rating_column",
    "min_rating": "preprocess.min_rating",
    "min_interactions": "preprocess.min_interactions",
    "min_item_interactions": "preprocess.min_item_interactions",
    "epochs": "trainer.epochs",
    "batch_size": "trainer.batch_size",
    "learning_rate": "trainer.learning_rate",
    "minimum_hr": "evaluator.minimum_hr",
    "minimum_ndcg": "evaluator.minimum_ndcg",
    "baseline_margin": "evaluator.baseline_margin",
    "champion_margin": "evaluator.champion_margin",
    "push_destination": "pusher.destination",
    "seed": "seed",
}
# Neither platform takes these as inputs everywhere: they are written into what is submitted.
SUBMISSION_PARAMETERS = {
    "image": "cluster.image",
    "accelerator": "cluster.accelerator",
    "accelerator_count": "cluster.accelerator_count",
}
INPUT_VERSION = "input_version"
_INPUT_VERSION_IS = (
    "Any text. Caching goes by the parameters, not by what is in the files at `ratings`: give another text where they "
    "have changed."
)


def with_run_parameters(config: Config) -> Config:
    """The configuration with TFX's placeholders in place of what each run chooses."""
    sections: dict[str, dict[str, RuntimeParameter]] = {}
    for name, key in RUN_PARAMETERS.items():
        section, field = _owner(config, key)
        placeholder = RuntimeParameter(name, ptype=property_type(type(section), field))
        sections.setdefault(key.rpartition(".")[0], {})[field] = placeholder
    top = sections.pop("", {})
    inner = {name: getattr(config, name).model_copy(update=fields) for name, fields in sections.items()}
    return config.model_copy(update={**top, **inner})


def default_values(config: Config) -> dict[str, Value]:
    """The values of all parameters, as the configuration has them."""
    values: dict[str, Value] = {}
    open_numbers = number_types()
    for name, key in RUN_PARAMETERS.items():
        section, field = _owner(config, key)
        value = section.model_dump(mode="json")[field]
        if name in open_numbers:
            values[name] = value if isinstance(value, int | float) else None
        else:
            values[name] = section.to_property(field, value)
    return {**values, INPUT_VERSION: ""}


def number_types() -> dict[str, type]:
    """Which parameters are numbers that may be left open, and of which type."""
    fields = {name: _declared(key) for name, key in RUN_PARAMETERS.items()}
    kinds = {name: number_type(*field) for name, field in fields.items() if property_type(*field) is str}
    return {name: kind for name, kind in kinds.items() if kind}


def descriptions() -> dict[str, str]:
    """What each parameter is, as its key of the configuration says."""
    texts = {}
    for name, key in RUN_PARAMETERS.items():
        section, field = _declared(key)
        texts[name] = section.model_fields[field].description or ""
    return {**texts, INPUT_VERSION: _INPUT_VERSION_IS}


def load_run(
    path: str | Path, assignments: Sequence[str], parameters: Sequence[str]
) -> tuple[Config, dict[str, Value]]:
    """Reads what to compile, and the values for one run of it.

    Args:
      path: a YAML file.
      assignments: `section.key=value` each, for the compiled pipeline.
      parameters: `name=value` each, for this run alone.

    Returns:
      The configuration to compile, and a value for each of the run's parameters.

    Raises:
      UserError: as `load_config`; or a parameter is unknown.
    """
    chosen = dict(_split(parameter) for parameter in parameters)
    version = chosen.pop(INPUT_VERSION, "")
    keys = {**RUN_PARAMETERS, **SUBMISSION_PARAMETERS}
    submission = [f"{keys[name]}={value}" for name, value in chosen.items() if name in SUBMISSION_PARAMETERS]
    typed = {f"--set {keys[name]}={value}": f"--param {name}={value}" for name, value in chosen.items()}
    try:
        compiled = load_config(path, [*assignments, *submission])
        run = load_config(path, [*assignments, *(text.removeprefix("--set ") for text in typed)])
    except UserError as error:
        raise UserError(_as_typed(str(error), typed)) from None
    return compiled, {**default_values(run), INPUT_VERSION: version}


def _as_typed(message: str, typed: Mapping[str, str]) -> str:
    """A message about assignments, with the parameter that somebody typed in the place of each."""
    for assignment, parameter in typed.items():
        message = message.replace(f"{assignment}:", f"{parameter}:")
    return message


def _split(parameter: str) -> tuple[str, str]:
    name, equals, value = parameter.partition("=")
    if not equals:
        raise UserError(f"--param {parameter}: write it as name=value")
    known = [*RUN_PARAMETERS, *SUBMISSION_PARAMETERS, INPUT_VERSION]
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        raise UserError(
            f"--param {parameter}: there is no parameter '{name}'; "
            + (f"did you mean '{near[0]}'?" if near else f"there are {', '.join(known)}")
        )
    return name, value


def _owner(config: Config, key: str) -> tuple[Section, str]:
    section, _, field = key.rpartition(".")
    return (getattr(config, section) if section else config), field


def _declared(key: str) -> tuple[type[Section], str]:
    """The section that declares a key, and the key's name in it."""
    section, _, field = key.rpartition(".")
    kind: Any = Config.model_fields[section].annotation if section else Config
    return kind, field
