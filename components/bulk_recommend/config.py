"""The `bulk` section of the configuration."""

from pydantic import Field

from components.shared.parameters import Section


class BulkConfig(Section):
    """A step after the Pusher that recommends to all users, as `recommend --all` does."""

    k: int = Field(
        0, ge=0, le=2**31 - 1, description="How many items for each user that the model knows; 0 leaves the step out."
    )
