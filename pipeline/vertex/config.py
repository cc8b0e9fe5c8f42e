"""The section `custom_job` of the configuration, which is Vertex AI's own."""

from pydantic import Field

from components.shared.parameters import Section


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
