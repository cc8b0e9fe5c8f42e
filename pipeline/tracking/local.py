"""Tells how a run on this machine ended."""

from collections.abc import Callable, Mapping

from components.shared import stopping
from components.shared.errors import find_user_error, first_line
from pipeline.config import Config, describe_config
from pipeline.local.lineage import NodeOutcome, pushed_to
from pipeline.tracking.ended import Ended, Results, Run
from pipeline.tracking.telling import check, tell

Outcomes = Mapping[str, NodeOutcome]


def told(config: Config, name: str, go: Callable[[], Outcomes], say: Callable[[str], None]) -> Outcomes:
    """Runs the pipeline, and tells how that ended. Nobody is told of a run that was interrupted.

    Args:
      config: of the run.
      name: of the run.
      go: runs it.
      say: takes a line for the screen, where somebody could not be told.

    Returns:
      What `go` does.

    Raises:
      UserError: before the run, that nobody could be told of it.
      Exception: what `go` raises.
    """
    check(config.notify, config.tracking)
    run = Run(config.name, name, {"seed": config.seed, **describe_config(config)})
    try:
        outcomes = go()
    except Exception as error:
        if not stopping.asked():
            _tell(config, Ended.with_failure(run, _reason(error)), say)
        raise
    if config.notify.webhook or config.tracking.mlflow:
        new = not all(outcome.cached for outcome in outcomes.values())
        _tell(config, Ended.with_verdict(run, _results(outcomes), new), say)
    return outcomes


def _tell(config: Config, ended: Ended, say: Callable[[str], None]) -> None:
    for fault in tell(ended, config.notify, config.tracking):
        say(f"warning: {fault}")


def _reason(error: Exception) -> str:
    return str(find_user_error(error) or f"internal error: {first_line(error)}")


def _results(outcomes: Outcomes) -> Results:
    return Results(
        evaluation=outcomes["Evaluator"].outputs["evaluation"].uri,
        model_run=outcomes["Trainer"].outputs["model_run"].uri,
        model=pushed_to(outcomes["Pusher"]),
    )
