"""What a study leaves: the winning configuration (`tuned.yaml`), tables (`tuned.md`), a page (`tuned.html`)."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from components.artifacts.storage import write_atomically
from components.trainer.tuning.findings import Findings, Tried
from components.trainer.tuning.space import Space
from pipeline.tuning import page
from pipeline.tuning.data import Data
from pipeline.tuning.rows import compared, counts, seconds


def write(folder: Path, tree: Mapping[str, Any], findings: Findings, data: Data, space: Space) -> dict[str, Path]:
    """Writes all three.

    Args:
      folder: where to.
      tree: the configuration as it is written.
      findings: what was found; there is a winner.
      data: what it was found on.
      space: what was searched.

    Returns:
      The files, by what each is.

    Raises:
      UserError: the disk is full, or the folder cannot be written.
    """
    texts = {
        "tuned": ("tuned.yaml", tuned_yaml(tree, findings)),
        "tables": ("tuned.md", tables(findings, data, space)),
        "plots": ("tuned.html", page.render(findings, data, space)),
    }
    for name, text in texts.values():
        with write_atomically(str(folder / name)) as file:
            file.write(text.encode())
    return {what: folder / name for what, (name, _) in texts.items()}


def tuned_yaml(tree: Mapping[str, Any], findings: Findings) -> str:
    """The user's configuration with the winner's values, ready for `run --config`."""
    assert findings.winner is not None
    changed = {**tree, "trainer": {**(tree.get("trainer") or {}), **findings.winner.changes}}
    changed.pop("tuner", None)  # a run has nothing left to look for
    own = "" if findings.own.best is None else f"; as it was: {findings.own.best:.4f}"
    head = (
        f"# Trial {findings.winner.number} of `tune`: {findings.metric} on validation {findings.winner.best:.4f}{own}."
    )
    return f"{head}\n{yaml.dump(changed, Dumper=_Dumper, sort_keys=False, allow_unicode=True)}"


class _Dumper(yaml.SafeDumper):
    """Writes a list on one line, as people do."""

    def represent_sequence(self, tag: str, sequence: Any, flow_style: bool | None = None) -> yaml.SequenceNode:
        return super().represent_sequence(tag, sequence, flow_style=True)


def tables(findings: Findings, data: Data, space: Space) -> str:
    """The findings in Markdown, for documents: counts of the data, what won, and what it is worth."""
    assert findings.winner is not None
    head = f"{findings.metric} on validation"
    worth = [("the configuration as it is", findings.own), (f"tuned, trial {findings.winner.number}", findings.winner)]
    parts = [
        "# What `tune` found",
        markdown(("data", data.name), data.counts()),
        markdown(("", head, "epoch", "seconds"), [(title, *_worth(trial)) for title, trial in worth]),
        markdown(("key of `trainer`", "as it is", "tuned", "importance"), compared(findings, space)),
        markdown(("trials", ""), [*counts(findings), ("minutes", f"{findings.seconds / 60:.1f}")]),
    ]
    return "\n\n".join(parts) + "\n"


def _worth(trial: Tried) -> tuple[str, str, str]:
    if trial.best is None:
        return "none", "", seconds(trial)
    return f"{trial.best:.4f}", f"{trial.best_epoch} of {len(trial.values)}", seconds(trial)


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
