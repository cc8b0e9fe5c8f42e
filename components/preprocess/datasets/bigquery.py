"""A table of BigQuery, or what a query gives."""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import Field, model_validator

from components.preprocess.datasets.base import RawRows, Request, Unsplit
from components.preprocess.readers.base import Reading
from components.shared.errors import UserError


class BigQuery(RawRows):
    """Interactions of a query, which Google's storage read API gives out in streams."""

    what: ClassVar[str] = "a table of BigQuery, or the rows of a query"
    means: ClassVar[tuple[str, ...]] = ("table", "query")

    table: str | None = Field(
        None,
        pattern=r"^[^`.\s]+\.[^`.\s]+\.[^`.\s]+$",
        description="PROJECT.DATASET.TABLE; a view, too. Three of its columns are queried.",
    )
    query: str | None = Field(
        None, min_length=1, description="A query in GoogleSQL, in place of dataset.table; it chooses rows with WHERE."
    )
    billing_project: str | None = Field(
        None, min_length=1, description="The project that pays for the query; null: that of the credentials."
    )
    user_column: str | int = Field("user", description="Name of the column of user ids.")
    item_column: str | int = Field("item", description="Name of the column of item ids.")
    timestamp_column: str | int | None = Field(
        "timestamp", description="A TIMESTAMP, DATETIME, DATE or number. None: the held-out items are drawn at random."
    )

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        if (self.table is None) == (self.query is None):
            raise ValueError("dataset.kind bigquery needs dataset.table or dataset.query, one of them")
        return self

    def interactions(self, request: Request) -> Unsplit:
        from components.preprocess.datasets import bigquery_rows

        if request.min_rating is not None:
            raise UserError(
                "preprocess.min_rating is for files; choose rows of BigQuery by the WHERE of a dataset.query"
            )
        reading = Reading(self.id_type, self.on_bad_row, time_format=self.time_format)
        pieces = bigquery_rows.plan(self._sql(), self.billing_project, self._name, reading)
        timed, find_unit = self.timestamp_column is not None, self.time_format != "number"
        return Unsplit(self._name, pieces, timed, find_unit, ordered=False)

    def fingerprint(self) -> str:
        from components.preprocess.datasets import bigquery_rows

        return bigquery_rows.fingerprint(self._sql(), self.billing_project, self._name)

    @property
    def _name(self) -> str:
        return self.table or "a query of BigQuery"

    def _sql(self) -> str:
        """The columns that count, by the names that readers give them.

        Raises:
          UserError: a column is given by its position.
        """
        wanted = {"user": self.user_column, "item": self.item_column, "timestamp": self.timestamp_column}
        columns = []
        for what, column in wanted.items():
            if isinstance(column, int) or (column is not None and "`" in column):
                raise UserError(f"dataset.{what}_column: {column} is no name of a column of BigQuery")
            columns += [f"`{column}` AS `{what}`"] if column is not None else []
        rows = f"`{self.table}`" if self.table else f"(\n{self.query}\n)"
        return f"SELECT {', '.join(columns)} FROM {rows}"
