"""The sections of the configuration that are Vertex AI's own."""

from typing import Self

from pydantic import Field, model_validator

from components.shared.parameters import Section
from pipeline.platforms.images import ImageName


class CustomJobConfig(Section):
    """Training on Vertex AI in a CustomJob of its own, on several machines or a TPU (`compile --target vertex`)."""

    project: str | None = Field(default=None, description="Google Cloud project of the job; null: no such job.")
    region: str = Field(default="us-central1", description="Its region.")
    machine_type: str = Field(default="n1-standard-16", description="Of each machine.")
    machines: int = Field(default=1, ge=1, description="With more than one, set trainer.device: multiworker.")
    accelerator: str | None = Field(default=None, description="Of each machine, such as NVIDIA_TESLA_T4.")
    accelerator_count: int = Field(default=1, ge=1, description="How many of them in each machine.")
    tpu_topology: str | None = Field(
        default=None, description="For a TPU, such as 2x2 with the machine type ct5lp-hightpu-4t."
    )
    service_account: str | None = Field(default=None, description="That the job runs as; null: the default one.")


class ModelRegistryConfig(Section):
    """Blessed models in Vertex AI's Model Registry, and on an endpoint (`compile --target vertex`)."""

    project: str | None = Field(default=None, description="Google Cloud project of the registry; null: none.")
    region: str = Field(default="us-central1", description="Its region, and that of the endpoint.")
    model: str = Field(
        default="neumf",
        pattern="^[a-z][a-z0-9-]{0,62}$",
        description="Name of the one model that each blessed model becomes the newest version of.",
    )
    serving_image: ImageName | None = Field(
        default=None,
        description="The container that serves versions: one of Vertex AI's own for TensorFlow; needed with `project`.",
    )
    endpoint: str | None = Field(
        default=None,
        pattern="^[a-z][a-z0-9-]{0,62}$",
        description="Name of the endpoint that the newest version gets all traffic of; it is made where there is none; "
        "null: versions are not deployed.",
    )
    machine_type: str = Field(default="n1-standard-2", description="Of the endpoint's machines.")
    minimum_machines: int = Field(default=1, ge=1, description="How many machines serve at least.")
    maximum_machines: int = Field(default=1, ge=1, description="How many at most, under load.")
    service_account: str | None = Field(
        default=None, description="That the endpoint's machines run as; null: the default one."
    )

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> Self:
        if self.project is not None and self.serving_image is None:
            raise ValueError("serving_image is needed where project is set: the container that serves the versions")
        if self.maximum_machines < self.minimum_machines:
            raise ValueError("maximum_machines is below minimum_machines")
        return self
