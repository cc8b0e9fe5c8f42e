"""Vertex AI's Model Registry and an endpoint, through Google's own client."""

from google.api_core.exceptions import NotFound
from google.cloud import aiplatform

from pipeline.vertex.config import ModelRegistryConfig
from pipeline.vertex.errors import explained


class Registry:
    """One model, whose versions are the blessed ones."""

    def __init__(self, config: ModelRegistryConfig):
        """Takes the credentials of the environment; nothing is asked yet.

        Args:
          config: with a project.
        """
        assert config.project
        self._config, self._project, self._region = config, config.project, config.region

    def take(self, artifact: str, description: str, labels: dict[str, str]) -> str:
        """Makes a model the newest version, and has the endpoint serve it, where there is one.

        Args:
          artifact: folder of the SavedModel, gs://...
          description: of the version.
          labels: of the version.

        Returns:
          What was done, in one line.

        Raises:
          UserError: Vertex AI cannot be reached, or refuses.
        """
        with explained(self._project, self._region):
            known = self._newest()
            there = known is not None and known.uri == artifact
            model = known if known is not None and there else self._upload(artifact, description, labels, known)
            told = (
                f"version {model.version_id} of the model {self._config.model} {'was there' if there else 'is there'}"
            )
            return f"{told}{self._deploy(model)}"

    def _newest(self) -> aiplatform.Model | None:
        """The version that was uploaded last; None where there is no such model."""
        try:
            return aiplatform.Model(self._config.model, project=self._project, location=self._region)
        except NotFound:
            return None

    def _upload(
        self, artifact: str, description: str, labels: dict[str, str], parent: aiplatform.Model | None
    ) -> aiplatform.Model:
        made: aiplatform.Model = aiplatform.Model.upload(
            display_name=self._config.model,
            artifact_uri=artifact,
            serving_container_image_uri=self._config.serving_image,
            version_description=description,
            labels=labels,
            parent_model=parent.resource_name if parent else None,
            model_id=None if parent else self._config.model,
            project=self._project,
            location=self._region,
        )
        return made

    def _deploy(self, model: aiplatform.Model) -> str:
        """Gives a version all traffic of the endpoint, and takes the others off it; says so."""
        if self._config.endpoint is None:
            return ""
        endpoint = self._endpoint(self._config.endpoint)
        former = {deployed.id: deployed for deployed in endpoint.list_models()}
        if any(_serves(deployed, model) for deployed in former.values()):
            return f", and on the endpoint {self._config.endpoint}"
        endpoint.deploy(
            model,
            deployed_model_display_name=f"{self._config.model}-{model.version_id}",
            traffic_percentage=100,
            machine_type=self._config.machine_type,
            min_replica_count=self._config.minimum_machines,
            max_replica_count=self._config.maximum_machines,
            service_account=self._config.service_account,
        )
        for name in former:
            endpoint.undeploy(name)
        return f", and deployed to the endpoint {self._config.endpoint}"

    def _endpoint(self, name: str) -> aiplatform.Endpoint:
        endpoint = aiplatform.Endpoint(name, project=self._project, location=self._region)
        try:
            endpoint.gca_resource  # noqa: B018 asks for it
        except NotFound:
            endpoint = aiplatform.Endpoint.create(
                display_name=name, endpoint_id=name, project=self._project, location=self._region
            )
        return endpoint


def _serves(deployed: aiplatform.gapic.DeployedModel, model: aiplatform.Model) -> bool:
    same = deployed.model.rpartition("@")[0] or deployed.model
    return bool(same == model.resource_name and deployed.model_version_id == model.version_id)
