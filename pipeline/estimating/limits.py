"""Why a run cannot fit on a machine, and what to change."""

from collections.abc import Iterator, Mapping

from pipeline.estimating.machine import Machine

_ELSEWHERE = "a larger machine"
_REMEDIES = {
    ("Preprocess", "rows"): "beam.runner (an engine on several machines)",
    ("NegativeGen", "written"): "negatives.source=streamed",
    ("NegativeGen", "records"): "negatives.eval_users or negatives.num_eval_negatives, to fewer",
    ("Trainer", "ahead"): "negatives.epochs_ahead, to fewer",
    ("Trainer", "parameters"): "trainer.num_factors, trainer.layers or trainer.history_factors, to less",
    ("Trainer", "train"): "trainer.history_factors=0 and trainer.recent_items=0",
    ("Evaluator", "ease_cells"): "evaluator.ease=false",
    ("Evaluator", "parameters"): "trainer.num_factors or trainer.history_factors, to less",
    ("Evaluator", "train"): "evaluator.als=false and evaluator.item_knn=false",
}
"""What to change where most of what a step takes is for this."""


def limits(
    memory: Mapping[str, Mapping[str, float]],
    disk: Mapping[str, Mapping[str, float]],
    program_gb: float,
    machine: Machine,
) -> Iterator[str]:
    """What does not fit, a sentence each.

    Args:
      memory: GB by step and by what they are for, besides the program's own.
      disk: likewise.
      program_gb: of memory, of the program itself.
      machine: what there is.
    """
    for step, parts in memory.items():
        needed = program_gb + sum(parts.values())
        if needed > machine.memory_gb:
            yield _told(step, f"{needed:,.1f} GB of memory", f"{machine.memory_gb:,.1f} GB", _remedy(step, parts))
    needed = sum(sum(parts.values()) for parts in disk.values())
    if machine.disk_gb is not None and needed > machine.disk_gb:
        step = max(disk, key=lambda step: sum(disk[step].values()))
        remedy = f"{_remedy(step, disk[step])}, or take another --root"
        yield _told("the run", f"{needed:,.1f} GB of disk", f"{machine.disk_gb:,.1f} GB", remedy)


def _told(who: str, needed: str, free: str, remedy: str) -> str:
    return f"{who} needs about {needed}, and {free} are free: {remedy}"


def _remedy(step: str, parts: Mapping[str, float]) -> str:
    largest = max(parts, key=parts.__getitem__, default="")
    key = _REMEDIES.get((step, largest))
    return f"set {key}" if key else f"take {_ELSEWHERE}"
