"""The findings as rows of texts, for the screen, the page and the tables alike."""

from components.trainer.tuning.findings import Findings, State, Tried
from components.trainer.tuning.space import Space, in_a_word

NOT_USED = "not used"


def compared(findings: Findings, space: Space) -> list[tuple[str, str, str, str]]:
    """Each tuned key: its value as it was, the winner's, and its importance where that is known."""
    assert findings.winner is not None
    own = {key: in_a_word(getattr(space.config, key)) for key in space.keys}
    won = {key: in_a_word(value) for key, value in findings.winner.changes.items()}
    if findings.winner is findings.own:
        won = own
    return [(key, own[key], won.get(key, NOT_USED), _share(findings.importance.get(key))) for key in space.keys]


def _share(importance: float | None) -> str:
    return "" if importance is None else f"{100 * importance:.0f} %"


def counts(findings: Findings) -> list[tuple[str, str]]:
    """How many trials ended in which way."""
    return [(state.value, str(findings.count(state))) for state in State if findings.count(state)]


def gain(findings: Findings) -> str:
    """What the winner is above the configuration as it was, in a few words."""
    return "" if findings.gain is None else f"{100 * findings.gain:+.1f} %"


def seconds(trial: Tried, decimals: int = 0) -> str:
    """How long a trial took; nothing where it was cut off."""
    return "" if trial.seconds is None else f"{trial.seconds:.{decimals}f}"
