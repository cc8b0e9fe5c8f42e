"""The section `beam` of the configuration: where the steps in Beam run, in words, and as Beam's own options."""

from collections.abc import Mapping
from typing import Literal, Self, TypeAlias

from pydantic import Field, model_validator

from components.shared.parameters import Section

Engine: TypeAlias = Literal["local", "flink", "spark", "dataflow", "portable"]

_ADDRESS = r"^[^\s/:]+:[0-9]{1,5}$"
# The keys that say something to each engine besides `args`.
_HEEDED: Mapping[Engine, frozenset[str]] = {
    "local": frozenset(),
    "flink": frozenset({"flink_master", "job_server", "environment", "parallelism", "workers"}),
    "spark": frozenset({"job_server", "environment", "workers"}),
    "portable": frozenset({"job_server", "environment", "parallelism", "workers"}),
    "dataflow": frozenset({"environment", "workers"}),
}
# The options of Beam that the keys stand for.
_OPTIONS = {
    "--runner": "runner",
    "--flink_master": "flink_master",
    "--job_endpoint": "job_server",
    "--environment_type": "environment",
    "--environment_config": "environment",
    "--sdk_container_image": "environment",
    "--parallelism": "parallelism",
    "--sdk_worker_parallelism": "workers",
    "--num_workers": "workers",
}
# Workers stay from one stage of a job to the next, as long as it may take: each start imports Beam again.
_KEEP_WORKERS = "--environment_cache_millis=3600000"


class BeamConfig(Section):
    """Where the steps in Beam run: Preprocess, NegativeGen, and the ranking of the Evaluator."""

    runner: Engine = Field(
        default="local",
        description="local: in memory, on all cores of the step. flink, spark, dataflow: that engine; portable: any "
        "other behind a job server of Beam's. All but local need workers that have this code, see environment, and "
        "places that every worker reaches ([scale.md](scale.md)).",
    )
    flink_master: str | None = Field(
        default=None,
        pattern=_ADDRESS,
        description="HOST:PORT of Flink's JobManager (REST). Each step then starts Beam's job server itself, which "
        "needs Java in the step, and its jar: args: [--flink_job_server_jar=...].",
    )
    job_server: str | None = Field(
        default=None,
        pattern=_ADDRESS,
        description="HOST:PORT of a job server of Beam's that is there already, which knows its engine's address; of "
        "flink (in place of flink_master), spark and portable.",
    )
    environment: str | None = Field(
        default=None,
        pattern=r"^(loopback|pool:[^\s/:]+:[0-9]{1,5}|image:\S+)$",
        description="What runs Python for the engine. pool:HOST:PORT: a pool of Beam's workers, at an address that "
        "each of the engine's workers sees; image:NAME: containers with Beam's boot program; loopback: the step "
        "itself, to try an engine on one machine.",
    )
    parallelism: int | None = Field(
        default=None, ge=1, description="Tasks that run side by side, on flink and portable; null: the engine's own."
    )
    workers: int | None = Field(
        default=None,
        ge=1,
        description="dataflow: the machines to begin with; else: Python processes beside each of the engine's workers.",
    )
    args: tuple[str, ...] = Field(
        default=(),
        description="Beam's own pipeline options, for all the rest. `${NAME}` stands for a variable of the step's "
        "environment, where secrets belong.",
    )

    @model_validator(mode="after")
    def _has_what_the_engine_needs(self) -> Self:
        for key in ("flink_master", "job_server", "environment", "parallelism", "workers"):
            if getattr(self, key) is not None and key not in _HEEDED[self.runner]:
                raise ValueError(f"beam.{key} has no effect where beam.runner is {self.runner}; leave it out")
        if self.runner == "flink" and (self.flink_master is None) == (self.job_server is None):
            raise ValueError("beam.runner: flink needs either beam.flink_master or beam.job_server")
        if self.runner in ("spark", "portable") and self.job_server is None:
            raise ValueError(f"beam.runner: {self.runner} needs beam.job_server")
        if self.runner != "local" and self.environment is None:
            raise ValueError(f"beam.runner: {self.runner} needs beam.environment")
        if self.runner == "dataflow" and not str(self.environment).startswith("image:"):
            raise ValueError("beam.environment must be image:NAME where beam.runner is dataflow")
        return self

    @model_validator(mode="after")
    def _says_nothing_twice(self) -> Self:
        """Options of engines that were written before there were words for them stay, with `local`."""
        for argument in self.args if self.runner != "local" else ():
            option = argument.partition("=")[0]
            if key := _OPTIONS.get(option):
                raise ValueError(f"beam.args: {option} is what beam.{key} says; leave it out")
        return self

    def options(self) -> list[str]:
        """Beam's pipeline options.

        Example:
          `BeamConfig(runner="spark", job_server="a:8099", environment="pool:b:50000")` asks for Beam's PortableRunner
          with `--job_endpoint=a:8099`, `--environment_type=EXTERNAL` and `--environment_config=b:50000`.
        """
        if self.runner == "local":
            return list(self.args)
        if self.runner == "dataflow":
            said = ["--runner=DataflowRunner", *_option("num_workers", self.workers)]
        else:
            said = [
                f"--runner={'FlinkRunner' if self.flink_master else 'PortableRunner'}",
                *_option("flink_master", self.flink_master),
                *_option("job_endpoint", self.job_server),
                *_option("parallelism", self.parallelism),
                *_option("sdk_worker_parallelism", self.workers),
                _KEEP_WORKERS,
            ]
        return [*said, *self._environment(), *self.args]

    def _environment(self) -> list[str]:
        kind, _, place = str(self.environment).partition(":")
        if self.runner == "dataflow":
            return _option("sdk_container_image", place)
        beam_type = {"pool": "EXTERNAL", "image": "DOCKER", "loopback": "LOOPBACK"}[kind]
        return [*_option("environment_type", beam_type), *_option("environment_config", place or None)]


def _option(name: str, value: str | int | None) -> list[str]:
    return [] if value is None else [f"--{name}={value}"]
