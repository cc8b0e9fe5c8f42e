"""What to read (`dataset`) and how to prepare it (`preprocess`)."""

from typing import Literal, Self

from pydantic import Field, model_validator

from components.shared.parameters import Section

MovieLensName = Literal["ml-latest-small", "ml-100k", "ml-1m", "ml-10m", "ml-20m", "ml-25m", "ml-32m"]


class DatasetConfig(Section):
    """The interactions to learn from."""

    kind: Literal["movielens", "files", "ncf", "synthetic"] = Field(
        "synthetic",
        description="movielens: a release by its name. files: your own CSV, TSV or Parquet. ncf: the NCF paper's "
        "layout, whose split and negatives are taken as they are. synthetic: the embedded generator.",
    )
    name: MovieLensName = Field("ml-latest-small", description="The MovieLens release (kind: movielens).")
    path: str | None = Field(
        None, description="kind files: a file or a glob, plain or gzip. kind ncf: a folder with NAME.train.rating, ..."
    )
    format: Literal["auto", "csv", "tsv", "parquet"] = Field("auto", description="Of the files; auto goes by the name.")
    separator: str | None = Field(None, min_length=1, description="Between columns; by default from the format.")
    header: bool | None = Field(
        None, description="Whether the first line names the columns; by default, yes when columns are given by name."
    )
    user_column: str | int = Field("user", description="Name, or 0-based position, of the column of user ids.")
    item_column: str | int = Field("item", description="Name, or 0-based position, of the column of item ids.")
    timestamp_column: str | int | None = Field(
        "timestamp", description="None: no timestamp, so the held-out items are drawn at random."
    )
    rating_column: str | int | None = Field(None, description="Only needed for preprocess.min_rating.")
    id_type: Literal["auto", "integer", "string"] = Field(
        "auto", description="Of users and items; auto: integers where a sample of the files holds nothing else."
    )
    on_bad_row: Literal["error", "skip"] = Field(
        "error", description="Stop at a row that cannot be read, or count it. Kind ncf always stops."
    )
    mirror: str | None = Field(None, description="A folder or base URL with the MovieLens archives.")
    cache_dir: str = Field("~/.cache/neumf-pipeline", description="Where downloaded archives are kept.")
    synthetic_users: int = Field(2_000, ge=2, le=10_000_000, description="Users of the synthetic data.")
    synthetic_items: int = Field(1_000, ge=2, le=10_000_000, description="Items of the synthetic data.")
    synthetic_interactions: int = Field(150_000, ge=1, description="Interactions of the synthetic data.")

    @model_validator(mode="after")
    def _has_path(self) -> Self:
        if self.kind in ("files", "ncf") and not self.path:
            raise ValueError(f"dataset.path is needed where dataset.kind is {self.kind}")
        return self


class PreprocessConfig(Section):
    """Filter, split and shards."""

    min_interactions: int = Field(20, ge=1, description="Users with fewer distinct items are dropped.")
    min_rating: float | None = Field(None, description="Rows rated below are dropped; needs dataset.rating_column.")
    validation: bool = Field(True, description="Hold out the item before the last one of each user for validation.")
    rows_per_shard: int = Field(1_000_000, ge=1_000, description="About so many rows in each shard.")
