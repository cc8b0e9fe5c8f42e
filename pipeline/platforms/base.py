"""What a platform is: how pipelines are compiled for it, and how their runs are started and looked at."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from components.shared.errors import UserError
from pipeline.config import Config
from pipeline.platforms.options import Options


@dataclass(frozen=True)
class Run:
    """A run to be started.

    Attributes:
      name: of the run.
      pipeline: name of the pipeline.
      text: the compiled pipeline, YAML.
      values: of all parameters.
    """

    name: str
    pipeline: str
    text: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Started:
    """A run that was started.

    Attributes:
      id: the platform's own for it.
      link: to its page.
    """

    id: str
    link: str


@dataclass(frozen=True)
class Status:
    """How far a run is.

    Attributes:
      state: of the run, in the platform's words without their prefix: PENDING, RUNNING, SUCCEEDED, FAILED, ...
      steps: the state of each step that has one, likewise.
      error: what the platform says of a failure; empty where it says nothing.
    """

    state: str
    steps: Mapping[str, str]
    error: str = ""


class Connection(Protocol):
    """A platform that was connected to. All methods raise `UserError` where it cannot be reached, or refuses."""

    def start(self, run: Run) -> Started:
        """Starts a run."""

    def status(self, started: Started) -> Status:
        """How far a run is."""


PlatformOptions = TypeVar("PlatformOptions", bound=Options)


class Platform(ABC, Generic[PlatformOptions]):
    """Where compiled pipelines run; `registry.PLATFORMS` has one of each kind, by its name.

    A platform is made whatever command is run, so it imports its client no sooner than it connects.

    Attributes:
      title: its full name.
      options: what `submit` can be told for it; each field is an option of the command line.
      visible_paths: which paths its steps can see, in a few words.
    """

    title: str
    options: type[PlatformOptions]
    visible_paths: str = "the absolute path of a volume that is mounted into them"

    @abstractmethod
    def connect(self, options: PlatformOptions) -> Connection:
        """Connects to it.

        Raises:
          UserError: it cannot be reached, does not let us in, or an option is not allowed.
        """

    def sees_path(self, path: str) -> bool:
        """Whether its steps may see an absolute path that is not at home on this machine."""
        return True

    def accelerator(self, name: str) -> str:
        """What a compiled step asks for where `cluster.accelerator` is `name`: the same, unless a platform differs.

        Raises:
          UserError: it has no such accelerator.
        """
        return name

    def training_job(self, config: Config) -> dict[str, Any] | None:
        """The job of its own that trains in place of the Trainer's step, as `custom_config` of TFX's Vertex Trainer.

        Returns:
          None where the Trainer's step trains.

        Raises:
          UserError: the configuration asks for a job that the platform does not have.
        """
        if config.custom_job.project is not None:
            raise UserError(
                f"custom_job is Vertex AI's own, {self.title} has none; compile for vertex, or set custom_job.project: "
                "null"
            )
        return None
