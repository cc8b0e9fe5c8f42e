"""Names of container images."""

import re
from typing import Annotated

from pydantic import AfterValidator

from components.shared.errors import UserError

DEFAULT_IMAGE = "neumf-pipeline:latest"
"""What `make image` builds."""

# The grammar of the distribution specification: registry, path, tag, digest.
_PART = r"[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*"
_TAG = r"[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127}"
_IMAGE = re.compile(
    rf"(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?(?::[0-9]+)?/)?{_PART}(?:/{_PART})*"
    rf"(?::{_TAG})?(?:@[a-z0-9]+:[0-9a-f]{{32,}})?"
)


def _name_of_an_image(image: str) -> str:
    if not _IMAGE.fullmatch(image):
        raise ValueError("is no name of an image, such as REGISTRY/neumf-pipeline:1, in lower case after REGISTRY/")
    return image


ImageName = Annotated[str, AfterValidator(_name_of_an_image)]


def is_tag(text: str) -> bool:
    """Whether an image may have such a tag."""
    return re.fullmatch(_TAG, text) is not None


def check_in_registry(image: str, remedy: str) -> None:
    """The default is a name on the machine that builds it: a cluster would look for it on Docker Hub.

    Args:
      image: that a cluster is to run.
      remedy: what names another one.

    Raises:
      UserError: it is the default.
    """
    if image == DEFAULT_IMAGE:
        raise UserError(
            f"cluster.image (image): {image} is in no registry; name the image that you pushed, as in "
            f"{remedy}REGISTRY/neumf-pipeline:1"
        )
