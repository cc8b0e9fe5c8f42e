"""The accelerators that Vertex AI has, as its client knows them."""

import difflib
from typing import Any

from components.shared.errors import UserError

_GPU = "NVIDIA_"


def check_accelerator(key: str, name: str) -> None:
    """Sees whether Vertex has an accelerator.

    Args:
      key: of the configuration, that asks for it.
      name: of the accelerator.

    Raises:
      UserError: it does not; names the nearest that it has.
    """
    known = gpus()
    if name in known:
        return
    if "/" in name:
        raise UserError(f"{key}: Vertex knows types such as NVIDIA_L4, not the resource {name!r}")
    if "TPU" in name.upper():
        raise UserError(f"{key}: {name} is no GPU; a TPU is asked for by custom_job.machine_type and tpu_topology")
    parts = [kind for kind in known if name.upper() in kind]
    near = parts or difflib.get_close_matches(name.upper(), known, n=3, cutoff=0.4) or known
    raise UserError(f"{key}: Vertex has no GPU {name!r}, but {', '.join(near)}")


def gpus() -> list[str]:
    """The types of GPUs that a step can ask for."""
    # The client is slow to import.
    from google.cloud.aiplatform_v1.types import AcceleratorType

    kinds: Any = AcceleratorType  # whose types do not say that it is an enumeration
    return [kind.name for kind in kinds if kind.name.startswith(_GPU)]
