"""Whether values are looked for before the training (`tuner`)."""

from pydantic import Field

from components.shared.parameters import Section


class TunerConfig(Section):
    """A step that looks for better values of `trainer`, which the Trainer then takes."""

    trials: int = Field(0, ge=0, description="Trainings to compare, at most; 0 leaves the step out.")
    minutes: float = Field(60.0, gt=0, allow_inf_nan=False, description="How long to look, at most.")
    workers: int = Field(1, ge=1, description="Trainings at once, each on its share of the cores.")
