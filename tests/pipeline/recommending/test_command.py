import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from components.serving.contract import LOWEST_SCORE
from components.serving.loader import ServedModel
from pipeline.cli import main
from tests.components.trainer.conftest import ITEMS, USERS

Run = Callable[..., list[str]]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    """The lines that a command prints."""

    def call(*arguments: str, exit_code: int = 0, stdin: str | bytes = "") -> list[str]:
        result = CliRunner().invoke(main, arguments, input=stdin)
        assert result.exit_code == exit_code, result.output
        return [line.rstrip() for line in (result.output + capfd.readouterr().out).splitlines() if line.strip()]

    return call


def expected_rows(folder: Path, users: list[Any], k: int) -> list[tuple[Any, ...]]:
    """By the signature, one user after the other: user, rank, item, score, known."""
    served, rows = ServedModel(str(folder / "1"), ITEMS), []
    for user in users:
        found = served.recommend(np.array([user], object if isinstance(user, str) else None), k)
        for rank, (item, score) in enumerate(zip(found["item_ids"][0], found["scores"][0], strict=True), start=1):
            if score > LOWEST_SCORE:
                own = item.decode() if isinstance(item, bytes) else int(item)
                rows.append((user, rank, own, pytest.approx(float(score), rel=1e-4), bool(found["known_user"][0])))
    return rows


def read(path: Path) -> pd.DataFrame:
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    return pd.read_csv(path) if path.suffix == ".csv" else pd.read_json(path, lines=True)


@pytest.mark.parametrize("case", ["mlp", "gmf"])
@pytest.mark.parametrize("ending", ["parquet", "csv", "jsonl"])
def test_the_best_items_of_everybody_are_in_the_file(
    push: Any, run: Run, tmp_path: Path, case: str, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("components.bulk_recommend.bulk._PAIRS_AT_ONCE", 7 * ITEMS)
    monkeypatch.setattr("components.bulk_recommend.bulk._ROWS_AT_ONCE", 50)
    output = tmp_path / f"recs.{ending}"
    (line,) = run("recommend", "--model", str(push(case)), "--all", "-k", "4", "-o", str(output))
    assert line.startswith(f"{output}: {4 * USERS} rows for {USERS} users; ")
    found = read(output)
    assert list(found) == ["user", "rank", "item", "title", "score", "known_user"]
    users = list(dict.fromkeys(found["user"]))
    assert users == sorted(users)
    assert len(users) == USERS
    rows = found[["user", "rank", "item", "score", "known_user"]].itertuples(index=False, name=None)
    assert list(rows) == expected_rows(push(case), users, 4)
    places = found["item"].astype(str).str.removeprefix("é-").astype(int).sub(1000) // 7
    titles = [f"Title {item}, the {item}th" if item % 2 else None for item in places]
    assert found["title"].astype(object).where(found["title"].notna(), None).tolist() == titles
    assert sorted(path.name for path in tmp_path.iterdir()) == [output.name]


def test_users_of_a_file_come_in_its_order_with_those_that_are_not_known(push: Any, run: Run, tmp_path: Path) -> None:
    (tmp_path / "users.txt").write_text("1007\n\n5\n1000\n")
    output = tmp_path / "recs.parquet"
    arguments = ["recommend", "--model", str(push("mlp")), "--users", str(tmp_path / "users.txt"), "-k", "2"]
    (line,) = run(*arguments, "-o", str(output))
    assert line.startswith(f"{output}: 6 rows for 3 users, 1 of whom the model does not know; ")
    found = read(output).drop(columns="title").itertuples(index=False, name=None)
    assert list(found) == expected_rows(push("mlp"), [1007, 5, 1000], 2)


def test_a_file_without_users_gives_one_without_rows(push: Any, run: Run, tmp_path: Path) -> None:
    (tmp_path / "users.txt").write_text("\n")
    output = tmp_path / "recs.parquet"
    run("recommend", "--model", str(push("gmf")), "--users", str(tmp_path / "users.txt"), "-o", str(output))
    assert pq.read_table(output).num_rows == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--all"], "where to? Give -o FILE.parquet, FILE.csv or FILE.jsonl"),
        (["--all", "-o", "recs.xls"], "--output recs.xls: a name that ends in .parquet, .csv, .jsonl is expected"),
        (["--all", "--users", "u", "-o", "r.csv"], "--all and --users FILE: one of them says for whom"),
        (["--all", "--user", "1", "-o", "r.csv"], "--user, --items and --json go without --all and --users FILE"),
        (["--user", "1", "-o", "r.csv"], "--output is of --all and --users FILE"),
        (["--users", "nowhere.txt", "-o", "r.csv"], "nowhere.txt"),
    ],
)
def test_options_that_do_not_go_together(push: Any, run: Run, arguments: list[str], told: str) -> None:
    (line,) = run("recommend", "--model", str(push("mlp")), *arguments, exit_code=2)
    assert line.startswith("error: ")
    assert told in line


def test_an_id_in_a_file_that_cannot_be_one_leaves_nothing(push: Any, run: Run, tmp_path: Path) -> None:
    (tmp_path / "users.txt").write_text("1007\nann\n")
    output = tmp_path / "recs.csv"
    arguments = ["--users", str(tmp_path / "users.txt"), "-o", str(output)]
    (line,) = run("recommend", "--model", str(push("mlp")), *arguments, exit_code=2)
    assert "ann: the user ids of this model are whole numbers" in line
    assert not output.exists()


def test_users_from_standard_input_as_lines_of_json(push: Any, run: Run) -> None:
    arguments = ["recommend", "--model", str(push("gmf")), "--user", "-", "--json", "-k", "3"]
    known, unknown = map(json.loads, run(*arguments, stdin="é-1007\nno:star:body\n"))
    assert (known["user"], known["known_user"], known["known_items"]) == ("é-1007", True, 0)
    rows = [("é-1007", rank, one["item"], one["score"], True) for rank, one in enumerate(known["items"], start=1)]
    assert rows == expected_rows(push("gmf"), ["é-1007"], 3)
    assert (unknown["user"], unknown["known_user"]) == ("no:star:body", False)
    assert unknown["items"][0].keys() == {"item", "title", "score"}


def test_some_users_are_named_where_one_is_not_known(push: Any, run: Run) -> None:
    told = "it knows, for example: 1000, 1007, 1014"
    assert run("recommend", "--model", str(push("mlp")), "--user", "5", "-k", "1")[-1] == told
    assert told not in run("recommend", "--model", str(push("mlp")), "--user", "1000", "-k", "1")


@pytest.mark.parametrize(("case", "exact"), [("gmf", True), ("mlp", False)])
def test_vectors_and_what_they_are_good_for(push: Any, run: Run, tmp_path: Path, case: str, exact: bool) -> None:
    output = tmp_path / "vectors.parquet"
    (line,) = run("export-vectors", "--model", str(push(case)), "-o", str(output))
    assert line.startswith(f"{output}: {USERS} users and {ITEMS} items, 4 columns each; their dot products are")
    assert ("NOT the model's scores" in line) is not exact
    table = pq.read_table(output)
    assert table.schema.metadata[b"dot_products_are_logits"] == (b"true" if exact else b"false")
    vectors = {kind: np.stack(rows["vector"].to_numpy()) for kind, rows in table.to_pandas().groupby("kind")}
    products = vectors["user"] @ vectors["item"].T
    served = ServedModel(str(push(case) / "1"), ITEMS)
    ids = {kind: rows["id"].to_numpy(object) for kind, rows in table.to_pandas().groupby("kind")}
    if exact:
        logits = served.score_by_id(ids["user"], np.tile(ids["item"], (USERS, 1)))["scores"]
        shift = logits - products
        np.testing.assert_allclose(shift, np.full_like(shift, shift[0, 0]), atol=1e-5)


def test_a_model_without_factors_has_no_vectors(push: Any, run: Run, tmp_path: Path) -> None:
    (line,) = run("export-vectors", "--model", str(push("mlp alone")), "-o", str(tmp_path / "v.parquet"), exit_code=2)
    assert line == "error: --model: this model has an MLP tower alone, whose scores are no products of vectors"


@pytest.mark.parametrize("by_file", [True, False])
def test_ids_that_are_no_text_are_told(push: Any, run: Run, tmp_path: Path, by_file: bool) -> None:
    (tmp_path / "users.txt").write_bytes(b"\xff\xfe7")
    name = str(tmp_path / "users.txt")
    asked = ["--users", name, "-o", str(tmp_path / "recs.csv")] if by_file else ["--user", "-"]
    (line,) = run("recommend", "--model", str(push("mlp")), *asked, exit_code=2, stdin=b"\xff\xfe7")
    assert line == f"error: {f'--users {name}' if by_file else '--user -'}: it is no text in UTF-8"
