"""Tables of interactions, and what pandas makes of them."""

import numpy as np
import pandas as pd


def random_table(rows: int = 6_000, users: int = 150, items: int = 80, seed: int = 0) -> pd.DataFrame:
    """Rows in no order, with duplicates and many ties in time."""
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "user": random.integers(0, users, rows) * 7 - 300,
            "item": random.integers(0, items, rows) * 11 + 5,
            "rating": random.integers(1, 11, rows) / 2,
            "timestamp": random.integers(1_000_000, 1_000_300, rows),
        }
    )


def arranged(table: pd.DataFrame, ties: str = "file") -> pd.DataFrame:
    """By user and time, without duplicates, in pandas."""
    by = ["user", "timestamp", "item"] if ties == "item" else ["user", "timestamp"]
    return table.sort_values(by, kind="stable").drop_duplicates(["user", "item"], keep="last")


def raw_rows(table: pd.DataFrame) -> list[tuple[int, int]]:
    """Pairs of user and item."""
    return list(zip(table["user"].tolist(), table["item"].tolist(), strict=True))


def expected_splits(
    table: pd.DataFrame, minimum: int, validation: bool = True, ties: str = "file"
) -> dict[str, list[tuple[int, int]]]:
    """The same in pandas, row by row in raw ids."""
    table = arranged(table, ties)
    table = table[table.groupby("user")["item"].transform("size") >= minimum]
    from_end = table.groupby("user").cumcount(ascending=False)
    held_out = {"test": from_end == 0, "validation": (from_end == 1) & validation}
    splits = {**held_out, "train": ~(held_out["test"] | held_out["validation"])}
    return {name: raw_rows(table[rows]) for name, rows in splits.items()}
