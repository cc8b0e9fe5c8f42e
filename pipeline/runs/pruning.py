"""What of a root may go: artifacts that no step would take from the cache next, and old logs."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ml_metadata.metadata_store import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as mlmd

from pipeline.local.lineage import open_store
from pipeline.runs.found import size_of

KEPT_LOGS = 10


@dataclass(frozen=True)
class Leftover:
    """What may go."""

    path: Path
    why: str

    @property
    def size(self) -> int:
        """In bytes."""
        return size_of(self.path) if self.path.is_dir() else self.path.stat().st_size

    def remove(self) -> None:
        """Deletes it."""
        if self.path.is_dir():
            shutil.rmtree(self.path)
        else:
            self.path.unlink()


def leftovers(root: Path) -> Iterator[Leftover]:
    """Finds them; pushed models, checkpoints and the store are none.

    Args:
      root: of a run on this machine, whose metadata store is there.
    """
    kept = _kept(open_store(str(root / "metadata.sqlite")))
    for folder in sorted((root / "artifacts").glob("*/*/*")):
        if folder.is_dir() and folder.name.isdecimal() and folder.parts[-3:] not in kept:
            yield Leftover(folder, "a newer execution took its place, or its step never ended")
    for log in sorted((root / "logs").glob("*.log"))[:-KEPT_LOGS]:
        yield Leftover(log, f"there are {KEPT_LOGS} newer logs")


def _kept(store: MetadataStore) -> set[tuple[str, ...]]:
    """The artifacts of each step's newest execution, and those that led to a model that lies where it was pushed."""
    newest: dict[int, int] = {}
    for execution in store.get_executions():
        if execution.last_known_state in (mlmd.Execution.COMPLETE, mlmd.Execution.CACHED):
            newest[execution.type_id] = max(newest.get(execution.type_id, 0), execution.id)
    executions = {*newest.values(), *_that_pushed(store)}
    artifacts = _artifacts_of(store, executions)
    # By STEP/OUTPUT/NUMBER, as a root may have been moved since.
    return {
        Path(artifact.uri).parts[-3:] for artifact in store.get_artifacts_by_id(list(_with_origins(store, artifacts)))
    }


def _that_pushed(store: MetadataStore) -> set[int]:
    places = {
        artifact.id: artifact.custom_properties["pushed_destination"].string_value
        for artifact in store.get_artifacts()
        if "pushed_destination" in artifact.custom_properties
    }
    there = [artifact for artifact, place in places.items() if Path(place).is_dir()]
    events = store.get_events_by_artifact_ids(there) if there else []
    return {event.execution_id for event in events if event.type == mlmd.Event.OUTPUT}


def _artifacts_of(store: MetadataStore, executions: set[int]) -> set[int]:
    events = store.get_events_by_execution_ids(list(executions)) if executions else []
    return {event.artifact_id for event in events}


def _with_origins(store: MetadataStore, artifacts: set[int]) -> set[int]:
    """Artifacts, all that lies beside them, and what they were made of."""
    found: set[int] = set()
    while artifacts - found:
        found |= artifacts
        events = store.get_events_by_artifact_ids(list(artifacts))
        artifacts = _artifacts_of(store, {event.execution_id for event in events if event.type == mlmd.Event.OUTPUT})
    return found
