"""Runs the pipeline on this machine, with TFX's BeamDagRunner."""

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

from apache_beam.options.pipeline_options import StandardOptions
from tfx.orchestration.beam import beam_dag_runner
from tfx.orchestration.pipeline import RunOptions

from components.shared import progress
from components.shared.errors import UserError
from components.shared.files import tfx_plugin
from components.shared.files.places import absolute
from components.shared.files.writing import check_writable
from pipeline.code_version import input_fingerprint
from pipeline.config import Config, PusherConfig
from pipeline.console import StepReporter
from pipeline.local.lineage import NodeOutcome, is_refusal, newest_outcome, open_store
from pipeline.pipeline import Places, create_pipeline


class _ReportedNode(beam_dag_runner.PipelineNodeAsDoFn):
    """Runs one node and tells the reporter of this process."""

    def _run_node(self) -> None:
        assert _reporter is not None
        _reporter.begin(self._node_id)
        store = open_store(self._mlmd_connection_config.sqlite.filename_uri)
        before = newest_outcome(store, self._pipeline_info.id, self._node_id)
        if before is not None and is_refusal(before):
            # The champion may have been mended or removed since, which the cache does not see.
            self._pipeline_node.execution_options.caching_options.enable_cache = False
        try:
            super()._run_node()
        except BaseException:
            _reporter.fail()
            raise
        outcome = newest_outcome(store, self._pipeline_info.id, self._node_id)
        assert outcome is not None
        _reporter.end(outcome.cached)


class _ReportingRunner(beam_dag_runner.BeamDagRunner):
    _PIPELINE_NODE_DO_FN_CLS = _ReportedNode


# Beam pickles the nodes on their way to its worker, which is a thread here: they find the reporter in the module.
_reporter: StepReporter | None = None


def run(
    config: Config, root: Path, reporter: StepReporter, last: str | None = None, store: str | None = None
) -> dict[str, NodeOutcome]:
    """Runs the five steps; those that would repeat an earlier run are served from the cache.

    Args:
      config: the configuration of the five steps.
      root: the folder that keeps everything; see `Places.below`.
      reporter: what the steps are reported to.
      last: the step to end with; None runs all of them.
      store: the folder of a storage that keeps artifacts and models in place of `root`; see `Places.below`.

    Returns:
      The outcome of each step by its name.

    Raises:
      UserError: the root or the push destination cannot be written, or another run is using the root.
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
        pipeline = create_pipeline(config, places, input_fingerprint(config.dataset))
        _ReportingRunner().run(pipeline, RunOptions(to_nodes=[last]) if last else None)
        store = open_store(places.metadata)
        outcomes = {step.id: newest_outcome(store, config.name, step.id) for step in pipeline.components}
    return {step: outcome for step, outcome in outcomes.items() if outcome is not None}


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
