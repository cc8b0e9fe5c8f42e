"""What each step of a run takes, from its amounts of work, measured figures, and the speed of a machine."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipeline.config import Config
from pipeline.estimating.counts import Counts
from pipeline.estimating.figures import FIGURES
from pipeline.estimating.fitted import Figures, total
from pipeline.estimating.limits import limits
from pipeline.estimating.machine import Machine, Speed
from pipeline.estimating.work import Amounts, Work, amounts


@dataclass(frozen=True)
class StepEstimate:
    """What a step takes.

    Attributes:
      step: its name.
      rows: that it reads, or trains on in an epoch.
      least_seconds: where training stops as early as it can.
      seconds: where it goes on to its last epoch.
      memory_gb: of the process at the step's peak.
      disk_gb: what it leaves.
      note: what the configuration leaves to the data; empty where that is nothing.
    """

    step: str
    rows: int
    least_seconds: float
    seconds: float
    memory_gb: float
    disk_gb: float
    note: str = ""


@dataclass(frozen=True)
class Estimate:
    """What a run takes.

    Attributes:
      counts: of the data.
      machine: that it is for.
      steps: in their order.
      warnings: why it cannot run here, and which keys to change; empty where it can.
    """

    counts: Counts
    machine: Machine
    steps: Sequence[StepEstimate]
    warnings: Sequence[str]

    @property
    def least_seconds(self) -> float:
        """Of all steps, where training stops as early as it can."""
        return sum(step.least_seconds for step in self.steps)

    @property
    def seconds(self) -> float:
        """Of all steps, where training goes on to its last epoch."""
        return sum(step.seconds for step in self.steps)

    @property
    def memory_gb(self) -> float:
        """At the peak; the steps run one after the other in one process."""
        return max(step.memory_gb for step in self.steps)

    @property
    def disk_gb(self) -> float:
        """Of all that the steps leave."""
        return sum(step.disk_gb for step in self.steps)


def estimate(config: Config, counts: Counts, machine: Machine, figures: Figures = FIGURES) -> Estimate:
    """What a run of a configuration takes on this machine's cores; nothing is known of accelerators.

    Args:
      config: of the run.
      counts: of its data.
      machine: what runs it.
      figures: what was measured.
    """
    work = Work(config, counts)
    found = amounts(work)
    seconds = _seconds(work, found, figures, machine.speed)
    memory = _memory(work, found, figures)
    notes = {"NegativeGen": _negatives_note(work), "Trainer": _trainer_note(work), "Evaluator": _evaluator_note(work)}
    steps = [
        StepEstimate(
            step=step,
            rows=rows,
            least_seconds=seconds[step][0],
            seconds=seconds[step][1],
            memory_gb=figures.program_gb + sum(memory[step].values()),
            disk_gb=total(figures.parts[step].disk_gb, found[step]),
            note=notes.get(step, ""),
        )
        for step, rows in _rows(work).items()
    ]
    disk = {step: _products(figures.parts[step].disk_gb, found[step]) for step in seconds}
    disk["Trainer"]["ahead"] = work.ahead_gb
    return Estimate(counts, machine, steps, list(limits(memory, disk, figures.program_gb, machine)))


def _rows(work: Work) -> dict[str, int]:
    counts = work.counts
    return {
        "Preprocess": counts.rows,
        "NegativeGen": counts.train + counts.validation + counts.test,
        "Trainer": work.rows_per_epoch,
        "Evaluator": counts.train + counts.validation + counts.test,
        "Pusher": 0,
    }


def _seconds(
    work: Work, found: Mapping[str, Amounts], figures: Figures, speed: Speed
) -> dict[str, tuple[float, float]]:
    """At least and at most, by step; rows that training draws are drawn while it works on others."""

    def of(part: str) -> float:
        return figures.seconds(part, found[part], speed)

    epoch = max(of("epoch"), of("drawing") if work.streamed else 0.0)
    evaluator = of("Evaluator") + sum(map(of, work.baselines))
    trainer = of("Trainer")
    return {
        "Preprocess": (of("Preprocess"),) * 2,
        "NegativeGen": (of("NegativeGen"),) * 2,
        "Trainer": (trainer + work.epochs[0] * epoch, trainer + work.epochs[-1] * epoch),
        "Evaluator": (evaluator,) * 2,
        "Pusher": (of("Pusher"),) * 2,
    }


def _memory(work: Work, found: Mapping[str, Amounts], figures: Figures) -> dict[str, dict[str, float]]:
    """GB by step and by what they are for."""
    parts = {part: _products(each.memory_gb, found[part]) for part, each in figures.parts.items() if part in found}
    if work.streamed:
        parts["Trainer"]["drawn"] = sum(parts["drawing"].values())
    return {step: parts[step] for step in _rows(work)}


def _products(terms: Mapping[str, float], found: Amounts) -> dict[str, float]:
    return {name: each * found[name] for name, each in terms.items()}


def _negatives_note(work: Work) -> str:
    if ahead := work.config.negatives.epochs_ahead:
        return f"rows written while training, {ahead} epochs ahead ({work.ahead_gb:,.1f} GB at once)"
    if work.streamed:
        return f"rows drawn while training ({work.files_gb:,.1f} GB as files)"
    return f"files of {work.config.trainer.epochs_of_examples} epochs"


def _trainer_note(work: Work) -> str:
    least, most = work.epochs[0], work.epochs[-1]
    epochs = f"{least} to {most}" if least < most else f"{most}"
    widths = ", ".join(map(str, work.towers.widths.values()))
    beside = f", beside towers of {widths}" if widths else ""
    return f"{epochs} epochs, {work.settings.num_factors} factors{beside}"


def _evaluator_note(work: Work) -> str:
    return "; ".join(_evaluator_notes(work))


def _evaluator_notes(work: Work) -> Iterator[str]:
    if work.ranked_users < work.counts.test:
        yield f"{work.ranked_users:,} of {work.counts.test:,} users ranked"
    if work.left_out:
        yield f"without {', '.join(work.left_out)}"
