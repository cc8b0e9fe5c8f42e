"""The section `cluster` of the configuration: the containers of the steps on Kubeflow and Vertex AI."""

import re

from pydantic import ConfigDict, Field, ValidationInfo, field_validator

from components.shared.parameters import Section
from pipeline.platforms.images import DEFAULT_IMAGE, ImageName
from pipeline.platforms.kubernetes_names import (
    check_key_of_secret,
    check_label_key,
    check_label_value,
    check_object,
    check_variable,
)

# Amazon's AWS_ACCESS_KEY_ID is none, and Google's GOOGLE_APPLICATION_CREDENTIALS names a file.
_IS_SECRET = re.compile(r"(SECRET|PASSWORD|PASSWD|TOKEN|SECRET_ACCESS_KEY|API_KEY|PRIVATE_KEY)$", re.IGNORECASE)

ONLY_KUBERNETES = (
    "cpu_request",
    "memory_request",
    "secret_environment",
    "secret_files",
    "volumes",
    "image_pull_secrets",
    "node_selector",
    "tolerations",
    "labels",
    "annotations",
    "timeout",
)
"""The keys of a pod that a platform without Kubernetes does not have."""


class Toleration(Section):
    """A taint of nodes that a pod tolerates, as Kubernetes has it."""

    key: str = Field(default="", description="Of the taint; empty, with operator Exists: every one.")
    operator: str = Field(default="Equal", pattern="^(Equal|Exists)$", description="Equal or Exists.")
    value: str = Field(default="", description="Of the taint, for Equal.")
    effect: str = Field(
        default="",
        pattern="^(|NoSchedule|PreferNoSchedule|NoExecute)$",
        description="NoSchedule, PreferNoSchedule or NoExecute; empty: all.",
    )


class PodConfig(Section):
    """The container of a step."""

    # 4 is a value of an environment variable as good as "4".
    model_config = ConfigDict(coerce_numbers_to_str=True)

    cpu: float | None = Field(default=None, gt=0, description="Limit, in cores; null leaves it open.")
    memory: float | None = Field(default=None, gt=0, description="Limit, in GB; null leaves it open.")
    cpu_request: float | None = Field(
        default=None, gt=0, description="Cores set aside; null: the limit. Kubeflow only."
    )
    memory_request: float | None = Field(
        default=None, gt=0, description="GB set aside; null: the limit. Kubeflow only."
    )
    environment: dict[str, str] = Field(
        default={}, description="Variables and their values, which everybody can read who can read the pipeline."
    )
    secret_environment: dict[str, str] = Field(
        default={}, description="Variables, and the key of a secret that each is read from: SECRET/KEY. Kubeflow only."
    )
    secret_files: dict[str, str] = Field(
        default={}, description="Folders, and the secret whose keys are files in each. Kubeflow only."
    )
    volumes: dict[str, str] = Field(
        default={}, description="Folders, and the persistent volume claim that is mounted to each. Kubeflow only."
    )
    image_pull_secrets: tuple[str, ...] = Field(
        default=(), description="Secrets that the image is pulled with. Kubeflow only."
    )
    node_selector: dict[str, str] = Field(
        default={}, description="Labels that a node must have, and their values. Kubeflow only."
    )
    tolerations: tuple[Toleration, ...] = Field(
        default=(), description="Taints of nodes that are tolerated: {key, operator, value, effect}. Kubeflow only."
    )
    labels: dict[str, str] = Field(default={}, description="Of the pod. Kubeflow only.")
    annotations: dict[str, str] = Field(default={}, description="Of the pod. Kubeflow only.")
    retries: int = Field(default=0, ge=0, description="How often the step is tried again when it fails.")
    retry_wait: int = Field(default=60, ge=0, description="Seconds before the first of them.")
    retry_factor: float = Field(default=2.0, ge=1, description="What the wait grows by from one to the next.")
    retry_wait_limit: int = Field(default=3600, ge=0, description="Seconds that a wait grows to at most.")
    timeout: int | None = Field(
        default=None, gt=0, description="Seconds after which the step is ended; null: none. Kubeflow only."
    )

    @field_validator("environment")
    @classmethod
    def _keeps_no_secret_in_sight(cls, variables: dict[str, str]) -> dict[str, str]:
        for variable, value in variables.items():
            check_variable(variable)
            if value and _IS_SECRET.search(variable):
                raise ValueError(
                    f"the value of {variable} would stand in the compiled pipeline, where everybody can read it; name "
                    "the key of a secret in secret_environment, or give rights to the account of the steps"
                )
        return variables

    @field_validator("secret_environment")
    @classmethod
    def _name_secret_and_key(cls, variables: dict[str, str]) -> dict[str, str]:
        for variable, source in variables.items():
            check_variable(variable)
            secret, slash, key = source.partition("/")
            if not (secret and slash and key):
                raise ValueError(
                    f"variable {variable} is read from SECRET/KEY, the key of a secret, not from {source!r}"
                )
            check_object("secret", secret)
            check_key_of_secret(key)
        return variables

    @field_validator("secret_files", "volumes")
    @classmethod
    def _mount_absolute_paths(cls, mounts: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        for path, name in mounts.items():
            if not path.startswith("/"):
                raise ValueError(f"folder {path} is one of a container; name an absolute path")
            check_object("secret" if info.field_name == "secret_files" else "claim", name)
        return mounts

    @field_validator("image_pull_secrets")
    @classmethod
    def _name_secrets(cls, secrets: tuple[str, ...]) -> tuple[str, ...]:
        for secret in secrets:
            check_object("secret", secret)
        return secrets

    @field_validator("labels", "node_selector", "annotations")
    @classmethod
    def _are_labels(cls, labels: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        for key, value in labels.items():
            check_label_key(key)
            if info.field_name != "annotations":
                check_label_value(value)
        return labels

    def on_top_of(self, defaults: "PodConfig") -> "PodConfig":
        """This one where it says something, else `defaults`; mappings are put together, key by key."""
        own: dict[str, object] = {}
        for name in self.model_fields_set:
            value = getattr(self, name)
            own[name] = {**getattr(defaults, name), **value} if isinstance(value, dict) else value
        return defaults.model_copy(update=own)


class StepsConfig(Section):
    """What single steps have of their own."""

    Preprocess: PodConfig = PodConfig()
    NegativeGen: PodConfig = PodConfig()
    Tuner: PodConfig = PodConfig()
    Trainer: PodConfig = PodConfig()
    Evaluator: PodConfig = PodConfig()
    Pusher: PodConfig = PodConfig()
    BulkRecommend: PodConfig = PodConfig()
    Register: PodConfig = PodConfig()
    Report: PodConfig = PodConfig()


class ClusterConfig(Section):
    """Containers on Kubeflow and Vertex AI; a run on one machine passes over all of this."""

    image: ImageName = Field(default=DEFAULT_IMAGE, description="The image that all steps run in.")
    cpu: float | None = Field(default=None, gt=0, description="The Trainer's limit, in cores; null leaves it open.")
    memory: float | None = Field(default=None, gt=0, description="The Trainer's limit, in GB; null leaves it open.")
    accelerator: str | None = Field(
        default=None,
        min_length=1,
        description="The Trainer's accelerator. Kubeflow: a resource of the cluster, such as nvidia.com/gpu. Vertex: a "
        "type, such as NVIDIA_L4; on Kubeflow, that asks for an nvidia.com/gpu of whatever type is there.",
    )
    accelerator_count: int = Field(default=1, ge=1, description="How many of them.")
    s3_endpoint: str | None = Field(
        default=None,
        pattern="^https?://[^/]+",
        description="Address of the storage that s3:// stands for in every step (AWS_ENDPOINT_URL), such as MinIO's; "
        "null: Amazon's.",
    )
    defaults: PodConfig = Field(default=PodConfig(), description="The container of every step.")
    steps: StepsConfig = Field(default=StepsConfig(), description="On top of that, of single steps: {Trainer: {...}}.")

    def pod(self, step: str) -> PodConfig:
        """The container of a step: what `steps` says of it, else what `defaults` says.

        The Trainer and the Tuner have `cpu` and `memory` of the section where theirs are not in `steps`.
        """
        own: PodConfig = getattr(self.steps, step)
        limits = {"cpu": self.cpu, "memory": self.memory} if step in ("Trainer", "Tuner") else {}
        given = {name: value for name, value in limits.items() if value is not None}
        endpoint = {"AWS_ENDPOINT_URL": self.s3_endpoint} if self.s3_endpoint else {}
        defaults = self.defaults.model_copy(update={**given, "environment": {**endpoint, **self.defaults.environment}})
        return own.on_top_of(defaults)
