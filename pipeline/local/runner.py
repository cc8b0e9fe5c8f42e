"""Runs the pipeline on this machine, with TFX's BeamDagRunner."""

import contextlib
import fcntl
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from apache_beam.options.pipeline_options import StandardOptions
from ml_metadata.metadata_store import MetadataStore
from tfx import types
from tfx.orchestration import metadata
from tfx.orchestration.beam import beam_dag_runner
from tfx.orchestration.pipeline import Pipeline, RunOptions
from tfx.orchestration.portable import data_types, launcher, outputs_utils, partial_run_utils
from tfx.types import artifact_utils

from components.serving.versions import is_whole
from components.shared import progress, stopping
from components.shared.errors import UserError
from components.shared.files import tfx_plugin
from components.shared.files.places import absolute
from components.shared.files.writing import check_writable
from pipeline.code_version import input_fingerprint
from pipeline.config import Config, PusherConfig
from pipeline.console import StepReporter
from pipeline.local import metadata_file, seals
from pipeline.local.lineage import (
    PUSHER,
    NodeOutcome,
    is_refusal,
    is_verdict,
    newest_outcome,
    open_store,
    pushed_to,
)
from pipeline.pipeline import Places, create_pipeline


class _SealingLauncher(launcher.Launcher):
    """Launches a node; what it writes is sealed, and the cache serves only what is as it was sealed."""

    def _prepare_execution(self) -> Any:
        with _cache_that_looks():
            return super()._prepare_execution()

    def _run_executor(self, execution_info: data_types.ExecutionInfo) -> Any:
        try:
            output = super()._run_executor(execution_info)
        except BaseException:
            _unseal_damaged(_uris(execution_info.input_dict))
            raise
        try:
            for uri in _uris(execution_info.output_dict):
                seals.seal(uri)
        except BaseException:
            outputs_utils.remove_output_dirs(execution_info.output_dict)
            raise
        return output


class _ReportedNode(beam_dag_runner.PipelineNodeAsDoFn):
    """Runs one node and tells the reporter of this process."""

    def _run_node(self) -> None:
        assert _reporter is not None
        stopping.heed()
        _reporter.begin(self._node_id)
        store = open_store(self._mlmd_connection_config.sqlite.filename_uri)
        if _is_to_be_judged_again(store, self._pipeline_info.id, self._node_id):
            self._pipeline_node.execution_options.caching_options.enable_cache = False
        try:
            self._launch()
        except BaseException:
            _reporter.fail()
            raise
        outcome = newest_outcome(store, self._pipeline_info.id, self._node_id)
        assert outcome is not None
        _reporter.end(outcome.cached)

    def _launch(self) -> None:
        # As the base class does, with a launcher of our own; no partial run of TFX's is asked for here.
        if self._pipeline_node.execution_options.run.perform_snapshot:
            with metadata.Metadata(self._mlmd_connection_config) as handle:
                partial_run_utils.snapshot(handle, self._pipeline)
        _SealingLauncher(
            pipeline_node=self._pipeline_node,
            mlmd_connection=metadata.Metadata(self._mlmd_connection_config),
            pipeline_info=self._pipeline_info,
            pipeline_runtime_spec=self._pipeline_runtime_spec,
            executor_spec=self._executor_spec,
            platform_config=self._extract_platform_config(self._deployment_config, self._node_id),
            custom_driver_spec=self._custom_driver_spec,
        ).launch()


@contextlib.contextmanager
def _cache_that_looks() -> Iterator[None]:
    """Has TFX's cache look at artifacts, not only for their folders, before it serves them."""
    verify = artifact_utils.verify_artifacts

    def look(artifacts: Mapping[str, Sequence[types.Artifact]]) -> None:
        verify(artifacts)
        if fault := next(filter(None, map(seals.find_fault, _uris(artifacts))), None):
            progress.warn(f"not taken from the cache: {fault}")
            raise RuntimeError(fault)  # what TFX takes for: try an older execution, or run

    artifact_utils.verify_artifacts = look
    try:
        yield
    finally:
        artifact_utils.verify_artifacts = verify


def _is_to_be_judged_again(store: MetadataStore, pipeline: str, node: str) -> bool:
    """Whether the gate's last word does not hold any more; the cache does not see what it depends on."""
    before = newest_outcome(store, pipeline, node)
    if before is None or not is_verdict(before):
        return False
    if is_refusal(before):
        return True  # the champion may have been mended or removed since
    pusher = newest_outcome(store, pipeline, PUSHER)
    version = pushed_to(pusher) if pusher else None
    if pusher is None or version is None:
        return False
    try:
        fault = seals.find_fault_of_copy(pusher.outputs["pushed_model"].uri, version)
    except ValueError:
        fault = None if is_whole(version) else f"{version} is not there any more"
    if fault is not None:
        progress.warn(f"judged again, to be pushed again, as {fault}")
    return fault is not None


def _unseal_damaged(uris: Iterable[str]) -> None:
    """A step failed: where the reason is that its input is damaged, the step that wrote that is to run again."""
    for uri in uris:
        if fault := seals.find_fault(uri, thorough=True):
            _damaged.append(fault)
            seals.unseal(uri)


def _uris(artifacts: Mapping[str, Sequence[types.Artifact]]) -> list[str]:
    return [artifact.uri for several in artifacts.values() for artifact in several]


class _ReportingRunner(beam_dag_runner.BeamDagRunner):
    _PIPELINE_NODE_DO_FN_CLS = _ReportedNode


# Beam pickles the nodes on their way to its worker, which is a thread here: they find the reporter in the module.
_reporter: StepReporter | None = None
# What was found damaged when a step failed, for whoever started the run.
_damaged: list[str] = []


def run(
    config: Config,
    root: Path,
    reporter: StepReporter,
    last: str | None = None,
    store: str | None = None,
    repair: bool = False,
) -> dict[str, NodeOutcome]:
    """Runs the five steps; those that would repeat an earlier run are served from the cache.

    Args:
      config: the configuration of the five steps.
      root: the folder that keeps everything; see `Places.below`.
      reporter: what the steps are reported to.
      last: the step to end with; None runs all of them.
      store: the folder of a storage that keeps artifacts and models in place of `root`; see `Places.below`.
      repair: sets a damaged metadata store aside and begins a new one.

    Returns:
      The outcome of each step by its name.

    Raises:
      UserError: the root or the push destination cannot be written, another run is using the root, or its metadata
        store is damaged.
      Exception: a step failed (`components.shared.errors.find_user_error` tells whose fault it is).
    """
    global _reporter
    _reporter = reporter
    progress.show_on(reporter)
    # BeamDagRunner leaves the choice of its own runner to Beam, whose default first tries to download another one.
    StandardOptions.DEFAULT_RUNNER = "FnApiRunner"
    tfx_plugin.register()
    places = Places.below(str(root), store)
    assert places.metadata
    config = _with_absolute_destination(config)
    with exclusive(root):
        check_writable(places.artifacts, "--root")
        if last is None:
            check_writable(config.pusher.destination or places.serving, "pusher.destination")
        if aside := metadata_file.prepare(places.metadata, places.artifacts, repair):
            reporter.say(f"the damaged metadata is now {aside}; steps run again")
        pipeline = create_pipeline(config, places, input_fingerprint(config.dataset))
        with metadata_file.told(places.metadata):
            _run_or_mend(pipeline, reporter, RunOptions(to_nodes=[last]) if last else None)
        knowledge = open_store(places.metadata)
        outcomes = {step.id: newest_outcome(knowledge, config.name, step.id) for step in pipeline.components}
    return {step: outcome for step, outcome in outcomes.items() if outcome is not None}


def _run_or_mend(pipeline: Pipeline, reporter: StepReporter, options: RunOptions | None) -> None:
    """Runs the steps, and once more from the first where one failed because an artifact was damaged."""
    _damaged.clear()
    try:
        _ReportingRunner().run(pipeline, options)
    except Exception:
        if not _damaged:
            raise
        reporter.say(f"{_damaged[0]}: the step that wrote it runs again")
        _ReportingRunner().run(pipeline, options)


def _with_absolute_destination(config: Config) -> Config:
    destination = config.pusher.destination
    if destination is None:
        return config
    return config.model_copy(update={"pusher": PusherConfig(destination=absolute(destination))})


@contextlib.contextmanager
def exclusive(root: Path) -> Iterator[None]:
    """Holds a root for one run at a time.

    Raises:
      UserError: the root cannot be written, or another run is using it.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        lock = (root / ".lock").open("w")
    except OSError as error:
        raise UserError(f"--root {root}: cannot write there: {error.strerror}; choose another --root") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(f"--root {root}: another run is using it; wait for it, or choose another --root") from None
        yield
