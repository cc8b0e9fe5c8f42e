"""What the metadata store knows of a pipeline's newest run."""

from dataclasses import dataclass

from ml_metadata.metadata_store import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as mlmd
from tfx.orchestration import metadata

PUSHER = "Pusher"
"""The node that pushes."""


@dataclass(frozen=True)
class NodeOutcome:
    """The newest execution of a node."""

    cached: bool
    outputs: dict[str, mlmd.Artifact]


def newest_outcome(store: MetadataStore, pipeline: str, node: str) -> NodeOutcome | None:
    """Returns what the newest execution of a node gave, or None where it never ran."""
    context = store.get_context_by_type_and_name("node", f"{pipeline}.{node}")
    executions = store.get_executions_by_context(context.id) if context else []
    if not executions:
        return None
    newest = max(executions, key=lambda execution: execution.id)
    outputs = {}
    for event in store.get_events_by_execution_ids([newest.id]):
        if event.type == mlmd.Event.OUTPUT:
            (artifact,) = store.get_artifacts_by_id([event.artifact_id])
            outputs[event.path.steps[0].key] = artifact
    return NodeOutcome(newest.last_known_state == mlmd.Execution.CACHED, outputs)


def pushed_to(pusher: NodeOutcome) -> str | None:
    """Where the Pusher put the model; None where it pushed nothing."""
    # An execution that was interrupted has no outputs.
    pushed_model = pusher.outputs.get("pushed_model")
    if pushed_model is None:
        return None
    properties = pushed_model.custom_properties
    return properties["pushed_destination"].string_value if properties["pushed"].int_value else None


def is_verdict(outcome: NodeOutcome) -> bool:
    """Whether it is the Evaluator's outcome."""
    return "blessing" in outcome.outputs


def is_refusal(outcome: NodeOutcome) -> bool:
    """Whether it is the Evaluator's outcome, and the model was not blessed."""
    blessing = outcome.outputs.get("blessing")
    return blessing is not None and not blessing.custom_properties["blessed"].int_value


def open_store(path: str) -> MetadataStore:
    """Opens the metadata store of a run on one machine.

    Raises:
      ml_metadata.errors.StatusError: the file is no metadata store.
    """
    return MetadataStore(metadata.sqlite_metadata_connection_config(path))
