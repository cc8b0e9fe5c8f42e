"""The configuration of a run: one YAML file, with single values set on top of it."""

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, Field, ValidationError

from components.bulk_recommend.config import BulkConfig
from components.evaluator.config import EvaluatorConfig
from components.negative_gen.config import NegativesConfig
from components.preprocess.config import DatasetConfig, PreprocessConfig
from components.preprocess.datasets import DATASETS
from components.shared.errors import UserError, first_line
from components.shared.files.secrets import json_without_secrets
from components.shared.json_types import JsonObject
from components.shared.parameters import Section, describe_fault
from components.trainer.config import TrainerConfig
from components.trainer.tuning.config import TunerConfig
from pipeline.engine import BeamConfig
from pipeline.kubeflow.config import KubeflowModelRegistryConfig
from pipeline.platforms.config import ClusterConfig
from pipeline.tracking.config import NotifyConfig, TrackingConfig
from pipeline.vertex.config import CustomJobConfig, ModelRegistryConfig
from pipeline.yaml_file import load_yaml

# What YAML reads as an alias, a tag, a block or a directive, and people type as *.csv, | or %d/%m/%Y.
_TEXT_AT_ONCE = ("*", "&", "!", "|", ">", "%", "@", "`")
# Keys, or whole sections, that nothing looks at where another key is null.
_NEEDED = {
    "cluster.accelerator_count": "cluster.accelerator",
    "custom_job": "custom_job.project",
    "model_registry": "model_registry.project",
    "kubeflow_model_registry": "kubeflow_model_registry.url",
}
_NOT_DESCRIBED = (
    "beam",
    "bulk",
    "notify",
    "tracking",
    "cluster",
    "custom_job",
    "model_registry",
    "kubeflow_model_registry",
)


class PusherConfig(Section):
    """Where blessed models go."""

    destination: str | None = Field(
        default=None,
        description="Folder that receives each blessed model as a new version, and where the champion is. Default: "
        "ROOT/serving on one machine; on Kubeflow and Vertex, the artifact pushed_model, and no champion.",
    )


class Config(Section):
    """Everything that a run depends on. Each component describes its own section."""

    name: str = Field(default="neumf", pattern=r"^[a-z0-9][a-z0-9-]{0,127}$", description="Name of the pipeline.")
    seed: int = Field(default=0, ge=0, lt=2**63, description="Seed of every random stream of the run.")
    dataset: DatasetConfig
    preprocess: PreprocessConfig = PreprocessConfig()
    negatives: NegativesConfig = NegativesConfig()
    tuner: TunerConfig = TunerConfig()
    trainer: TrainerConfig = TrainerConfig()
    evaluator: EvaluatorConfig = EvaluatorConfig()
    pusher: PusherConfig = PusherConfig()
    bulk: BulkConfig = BulkConfig()
    beam: BeamConfig = BeamConfig()
    notify: NotifyConfig = NotifyConfig()
    tracking: TrackingConfig = TrackingConfig()
    cluster: ClusterConfig = ClusterConfig()
    custom_job: CustomJobConfig = CustomJobConfig()
    model_registry: ModelRegistryConfig = ModelRegistryConfig()
    kubeflow_model_registry: KubeflowModelRegistryConfig = KubeflowModelRegistryConfig()


def load_config(path: str | Path, assignments: Sequence[str] = ()) -> Config:
    """Reads a configuration.

    Args:
      path: a YAML file.
      assignments: `section.key=value` each, the value written as in YAML; they win over the file.

    Raises:
      UserError: the file cannot be read, a key is unknown, or a value is not allowed; the message names the key and
        what is allowed.
    """
    config = config_of(read_tree(path, assignments), path, assignments)
    _refuse_without_effect(config, assignments)
    return config


def _refuse_without_effect(config: Config, assignments: Sequence[str]) -> None:
    """A file may have keys that nothing reads, such as those of another kind of data set; whoever sets one means it."""
    used = {"kind", *DATASETS[config.dataset.kind].model_fields}
    last = {key: value for key, _, value in (assignment.partition("=") for assignment in assignments)}
    for key, value in last.items():
        section, name = [*key.split("."), ""][:2]
        if section == "dataset" and name not in used and value not in ("", "null"):
            kinds = [kind for kind, data in DATASETS.items() if name in data.model_fields]
            raise UserError(
                f"--set {key}={value}: has no effect, as dataset.kind is {config.dataset.kind}; set dataset.kind to "
                f"{' or '.join(kinds)} as well, or leave it out"
            )
        needed = _NEEDED.get(key, _NEEDED.get(section, key))
        if value not in ("", "null") and key != needed and value_at(config, needed) is None:
            raise UserError(
                f"--set {key}={value}: has no effect, as {needed} is null; set that as well, or leave it out"
            )


def value_at(config: Config, key: str) -> object:
    """The value of `section.key`."""
    section, _, name = key.partition(".")
    return getattr(getattr(config, section), name)


def config_of(tree: JsonObject, origin: str | Path, assignments: Sequence[str] = ()) -> Config:
    """Checks the sections of a configuration.

    Args:
      tree: as `read_tree` returns it.
      origin: where it comes from.
      assignments: those of its values that were set on top, to be blamed for them.

    Raises:
      UserError: as `load_config`.
    """
    try:
        return Config.model_validate(tree)
    except ValidationError as error:
        raise UserError(f"{_origin(error, origin, assignments)}: {_first_fault(error)}") from None


def read_tree(path: str | Path, assignments: Sequence[str] = ()) -> JsonObject:
    """The sections of a configuration as they are written, with values set on top of them; nothing is checked.

    Raises:
      UserError: the file cannot be read.
    """
    return assigned(_read_yaml(Path(path)), assignments)


def assigned(tree: JsonObject, assignments: Sequence[str]) -> JsonObject:
    """The sections of a configuration with values set on top of them.

    Raises:
      UserError: an assignment is not `section.key=value`.
    """
    for assignment in assignments:
        _assign(tree, assignment)
    return tree


def describe_config(config: Config) -> JsonObject:
    """The configuration for a report: as plain data, without what may hold a secret.

    Beam's options stay out, as cloud runners take credentials there, and so do user names and passwords in URLs. What
    is not known before a compiled pipeline runs stays out too.
    """
    sections = {name: value for name, value in config if isinstance(value, Section) and name not in _NOT_DESCRIBED}
    plain = {name: section.model_dump(mode="json", exclude=section.passed_on()) for name, section in sections.items()}
    return {name: json_without_secrets(section) for name, section in plain.items()}


def _read_yaml(path: Path) -> JsonObject:
    try:
        tree = load_yaml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path}: cannot read the configuration: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UserError(f"{path}: the configuration is not UTF-8 text") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise UserError(f"{where}: not valid YAML: {getattr(error, 'problem', first_line(error))}") from None
    if not isinstance(tree, dict):
        raise UserError(f"{path}: the configuration must be a mapping of sections")
    return tree


def _assign(tree: JsonObject, assignment: str) -> None:
    key, equals, text = assignment.partition("=")
    if not equals or not key:
        raise UserError(f"--set {assignment}: write it as section.key=value")
    try:
        value = text if text.startswith(_TEXT_AT_ONCE) else load_yaml(text)
    except yaml.YAMLError:
        raise UserError(f"--set {assignment}: the value is not valid YAML") from None
    *sections, name = key.split(".")
    node = tree
    for section in sections:
        if node.get(section) is None:
            node[section] = {}
        if not isinstance(node[section], dict):
            raise UserError(f"--set {assignment}: '{section}' is a value, not a section")
        node = node[section]
    node[name] = value


def _origin(error: ValidationError, path: str | Path, assignments: Sequence[str]) -> str:
    """Where the faulty value was given: the last assignment to its key, or near it; else the file."""
    fault = error.errors(include_url=False)[0]
    place = [str(part) for part in fault["loc"]]
    keys = {text: text.partition("=")[0].split(".") for text in assignments}
    blamed = [text for text, key in keys.items() if key == place[: len(key)]]
    if fault["type"] == "missing":  # another key of the same mapping was given
        blamed += [text for text, key in keys.items() if key[:-1] == place[:-1] and len(key) > 1]
    if not blamed and _is_valid(path):  # a rule between keys, or a section that there is not
        blamed = [text for text, key in keys.items() if key[: len(place)] == place]
    return f"--set {blamed[-1]}" if blamed else str(path)


def _is_valid(origin: str | Path) -> bool:
    """Whether a configuration without assignments is; one that was not read from a file is."""
    try:
        Config.model_validate(read_tree(origin))
    except ValidationError:
        return False
    except UserError:
        return True
    return True


def _first_fault(error: ValidationError) -> str:
    faults = error.errors(include_url=False)
    if faults[0]["type"] != "extra_forbidden":
        return describe_fault(error)
    path = [str(part) for part in faults[0]["loc"]]
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return f"unknown key '{'.'.join(path)}'; {_allowed_keys(path)}{more}"


def _allowed_keys(path: list[str]) -> str:
    section: type[BaseModel] = Config
    for name in path[:-1]:
        if not name.isdecimal():  # else one of a list of sections
            section = _section_in(section.model_fields[name].annotation)
    allowed = list(section.model_fields)
    if len(path) == 1 and (owners := _sections_with(path[0])):
        return f"did you mean '{' or '.join(owners)}'?"
    near = difflib.get_close_matches(path[-1], allowed, n=1)
    return f"did you mean '{near[0]}'?" if near else f"allowed here: {', '.join(allowed)}"


def _section_in(annotation: Any) -> type[BaseModel]:
    """The section that a key stands for, which may be one that is null by default."""
    (section,) = (
        kind for kind in (annotation, *get_args(annotation)) if isinstance(kind, type) and issubclass(kind, BaseModel)
    )
    return section


def _sections_with(key: str) -> list[str]:
    """The keys of sections that are called so."""
    sections = {name: field.annotation for name, field in Config.model_fields.items()}
    return [
        f"{name}.{key}"
        for name, section in sections.items()
        if isinstance(section, type) and issubclass(section, BaseModel) and key in section.model_fields
    ]
