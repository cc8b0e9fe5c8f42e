"""What goes into the service and what comes out of it, as JSON; the OpenAPI page describes them."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

MOST_RECOMMENDED = 1_000
MOST_GIVEN = 1_000
DEFAULT_K = 10


def _as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


RawId = Annotated[str, BeforeValidator(_as_text, json_schema_input_type=str | int), Field(max_length=1_000)]
"""A raw id; whole numbers may be sent as numbers, and come back as texts: JavaScript's numbers end at 2^53."""

K = Annotated[int, Field(ge=1, le=MOST_RECOMMENDED, strict=True, description="How many items are wanted.")]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Wanted(_Body):
    """For whom to recommend."""

    user: RawId | None = Field(None, description="Raw id; where the model does not know it, `items` count.")
    items: list[RawId] = Field(
        min_length=1, max_length=MOST_GIVEN, description="Raw ids of what they did, oldest first."
    )
    k: K = DEFAULT_K


class Item(_Body):
    """An item."""

    item: str = Field(description="Raw id.")
    title: str | None = Field(description="Null where the model has none.")


class RankedItem(Item):
    """An item at its place."""

    score: float = Field(description="Higher is better, among the scores of one answer.")


class Recommendations(_Body):
    """The best items that somebody has not seen, best first."""

    version: str = Field(description="The version of the model that answered.")
    user: str | None
    known_user: bool = Field(description="Whether the model knows the user; their items are then their own.")
    known_items: int = Field(
        description="Of an unknown user: how many of the given items the model knows; 0: what is popular comes."
    )
    items: list[RankedItem]


class SimilarItems(Item):
    """The items most like one, the most alike first."""

    version: str
    items: list[RankedItem]


class History(_Body):
    """What a user has seen, the latest first."""

    version: str
    user: str
    seen: int = Field(description="How much that is; `items` may be fewer.")
    items: list[Item]


class KnownUser(_Body):
    """A user."""

    user: str = Field(description="Raw id.")
    seen: int = Field(description="How many items they have seen.")


class Users(_Body):
    """Some of the users that the model knows, spread over all of them."""

    version: str
    known: int = Field(description="How many the model knows.")
    users: list[KnownUser]


class Items(_Body):
    """Items whose id or title has a text in it, the most popular first."""

    version: str
    known: int = Field(description="How many the model knows.")
    items: list[Item]


class Problem(_Body):
    """Why there is no answer."""

    error: str
