"""What `submit kfp` can be told."""

from dataclasses import dataclass, field

import click

from pipeline.platforms.options import Options


@dataclass(frozen=True, kw_only=True)
class KubeflowOptions(Options):
    """How to reach Kubeflow Pipelines.

    Attributes:
      host: its address, with http:// or https://.
      experiment: that runs belong to; it is created where there is none of that name.
      namespace: of the user, where the installation has several; None: it has one.
      existing_token: sent as a bearer token; None: none.
      ssl_ca_cert: file of the certificates to trust; None: the system's.
      disable_ssl_verification: whether the server's certificate is not checked.
    """

    host: str = field(metadata={"metavar": "URL", "help": "Address of Kubeflow Pipelines."})
    experiment: str = field(
        default="neumf", metadata={"metavar": "NAME", "help": "Experiment that the run belongs to."}
    )
    namespace: str | None = field(
        default=None, metadata={"metavar": "NAME", "help": "Your namespace, where the installation has several."}
    )
    existing_token: str | None = field(
        default=None,
        repr=False,
        metadata={"metavar": "TOKEN", "envvar": "KFP_TOKEN", "help": "Bearer token; better in $KFP_TOKEN."},
    )
    ssl_ca_cert: str | None = field(
        default=None,
        metadata={"type": click.Path(exists=True), "metavar": "FILE", "help": "File of certificates to trust."},
    )
    disable_ssl_verification: bool = field(default=False, metadata={"help": "Do not check the server's certificate."})
