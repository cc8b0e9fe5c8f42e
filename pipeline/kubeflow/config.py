"""The section of the configuration that is Kubeflow's own."""

from pydantic import Field

from components.shared.parameters import Section


class KubeflowModelRegistryConfig(Section):
    """Blessed models in Kubeflow's Model Registry (`compile --target kfp`)."""

    url: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s/]+(/\S*)?$",
        description="Address of its REST service as the steps see it, such as "
        "http://model-registry-service.kubeflow:8080; `${NAME}` is a variable of the step's environment; null: none.",
    )
    model: str = Field(
        default="neumf",
        pattern=r"^\S(.{0,126}\S)?$",
        description="Name of the one model that each blessed model becomes a version of.",
    )
