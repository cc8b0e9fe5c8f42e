"""What a platform is: how pipelines are compiled for it, and how their runs are started and looked at."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Protocol, TypeVar, runtime_checkable

from components.shared.errors import UserError
from components.shared.json_types import JsonObject
from pipeline.config import Config
from pipeline.platforms.config import ONLY_KUBERNETES, PodConfig
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


@dataclass(frozen=True)
class Schedule:
    """Runs that a platform starts by itself.

    Attributes:
      id: the platform's own for it.
      name: that it was given.
      cron: when runs start: minute, hour, day of the month, month, day of the week.
      state: in the platform's words: ACTIVE, PAUSED, ENABLED, DISABLED, ...
    """

    id: str
    name: str
    cron: str
    state: str


@runtime_checkable
class Scheduler(Protocol):
    """A connection to a platform that starts runs by itself. All methods raise `UserError` as those of `Connection`."""

    def schedule(self, run: Run, cron: str) -> Schedule:
        """Has runs started, never two at a time, and none for a time that was missed."""

    def schedules(self) -> Sequence[Schedule]:
        """All that there are."""

    def pause(self, schedule: Schedule) -> None:
        """Has no more runs started until it is resumed."""

    def resume(self, schedule: Schedule) -> None:
        """Has runs started again."""

    def delete(self, schedule: Schedule) -> None:
        """Removes it; its runs stay."""


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
      time_zone: where the one time zone of all its schedules is set; empty: each schedule may have one.
      in_place_of: what to do in place of a key that only Kubernetes has, by the key.
      own: keys of the configuration that ask for what this platform alone has; null where nothing is asked for.
    """

    title: str
    options: type[PlatformOptions]
    visible_paths: str = "the absolute path of a volume that is mounted into them"
    time_zone: str = ""
    in_place_of: ClassVar[Mapping[str, str]] = {}
    own: ClassVar[frozenset[str]] = frozenset()

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

    def pods(self, pods: Mapping[str, PodConfig]) -> JsonObject:
        """What only this platform can be told of the steps' pods: a document of its own behind the compiled pipeline.

        Variables, limits and retries stand in the pipeline itself.

        Args:
          pods: of each executor of the pipeline, by its label.

        Returns:
          The document; empty where there is none.

        Raises:
          UserError: it does not have what a key of `cluster.steps` or `cluster.defaults` asks for.
        """
        for label, pod in pods.items():
            for key in ONLY_KUBERNETES:
                if getattr(pod, key):
                    hint = self.in_place_of.get(key, "leave it out")
                    step = label.removesuffix("_executor")
                    raise UserError(
                        f"cluster.steps.{step}.{key} (or cluster.defaults.{key}): {self.title} has none; {hint}"
                    )
        return {}

    def training_job(self, config: Config) -> JsonObject | None:
        """The job of its own that trains in place of the Trainer's step, as `custom_config` of TFX's Vertex Trainer.

        Returns:
          None where the Trainer's step trains.

        Raises:
          UserError: the job cannot be.
        """
        return None

    def add_steps(self, spec: JsonObject, config: Config) -> None:
        """Adds what this platform alone does behind a push to a compiled pipeline, in place.

        Raises:
          UserError: a key of the configuration does not fit.
        """
