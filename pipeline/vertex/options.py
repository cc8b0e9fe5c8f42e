"""What `submit vertex` can be told."""

from dataclasses import dataclass, field

from pipeline.platforms.options import Options


@dataclass(frozen=True, kw_only=True)
class VertexOptions(Options):
    """Where on Google Cloud to run.

    Attributes:
      project: Google Cloud's project.
      region: in it, such as us-central1.
      pipeline_root: folder of all artifacts, gs://...: Vertex has no place of its own for them.
    """

    project: str = field(metadata={"metavar": "ID", "help": "Google Cloud project."})
    region: str = field(metadata={"metavar": "NAME", "help": "Such as us-central1."})
    pipeline_root: str = field(metadata={"metavar": "URI", "help": "Where artifacts go: gs://BUCKET/FOLDER."})
