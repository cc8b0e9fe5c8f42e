"""The sections `notify` and `tracking` of the configuration."""

from pydantic import Field

from components.shared.parameters import Section


class NotifyConfig(Section):
    """A message when a run has ended; see docs/tracking.md."""

    webhook: str | None = Field(
        default=None,
        pattern=r"^(https?://\S+|\$\{\w+\})$",
        description="Address that receives the verdict of each run as JSON, by POST; null: nobody is told. `${NAME}` "
        "stands for a variable of the environment, where an address belongs that nobody else may know.",
    )


class TrackingConfig(Section):
    """Runs on a server that tracks experiments; see docs/tracking.md."""

    mlflow: str | None = Field(
        default=None,
        min_length=1,
        description="MLflow's tracking URI, such as https://mlflow.example.org or sqlite:///mlflow.db; `${NAME}` is a "
        "variable of the environment; null: runs are not tracked.",
    )
    experiment: str | None = Field(
        default=None, min_length=1, description="MLflow's experiment; it is made where there is none; null: `name`."
    )
