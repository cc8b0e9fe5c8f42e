"""The commands that ask a pushed model."""

import json
import sys
import time
from collections.abc import Sequence

import click
from rich.console import Console

from components.shared import progress
from components.shared.errors import UserError
from pipeline.command_options import comma_separated
from pipeline.console import StepReporter, Warnings, for_reading, loading

_STDIN = "-"

model_option = click.option(
    "--model", required=True, metavar="DIR", help="A SavedModel, or where versions of it are pushed to."
)


@click.command()
@model_option
@click.option(
    "--user", "users", multiple=True, metavar="ID", help="Whom to recommend to; repeatable; -: ids come one a line."
)
@click.option(
    "--items",
    default=None,
    metavar="ID,ID,...",
    help="What somebody did, oldest first, for a user that the model does not know. An id with a comma goes in "
    "quotes: '\"a,b\",c'.",
)
@click.option("-k", "k", type=click.IntRange(1, 2**31 - 1), default=10, show_default=True, help="How many items.")
@click.option("--json", "as_json", is_flag=True, help="Print a line of JSON for each user.")
@click.option("--all", "everybody", is_flag=True, help="For all users that the model knows, into a file.")
@click.option("--users", "users_file", metavar="FILE", help="For those of a file, with one id a line, into a file.")
@click.option(
    "-o", "--output", metavar="FILE", help="Of --all and --users: .parquet, .csv or .jsonl; gs:// and s3:// too."
)
def recommend(
    model: str,
    users: Sequence[str],
    items: str | None,
    k: int,
    as_json: bool,
    everybody: bool,
    users_file: str | None,
    output: str | None,
) -> None:
    """Show the best items that a user has not seen yet, or write those of many users into a file.

    A user that the model does not know gets items that go with --items, or else the most popular ones. Without --user,
    --items alone says for whom.
    """
    with for_reading() as console:
        if everybody or users_file is not None:
            _in_bulk(console, model, users_file, k, _of_bulk(everybody, users_file, users, items, as_json, output))
            return
        if output is not None:
            raise UserError("--output is of --all and --users FILE")
        given = comma_separated("--items", items) if items is not None else []
        asked = [user for name in users for user in (_from_stdin() if name == _STDIN else [name])]
        if not asked and not given:
            raise UserError("whom to recommend to? Give --user ID, or --items ID,ID,... of what somebody did, or --all")
        if not as_json:
            progress.show_on(Warnings(console))
        with loading(console, "the model"):
            from components.serving.recommend import recommend as ask
            from pipeline.recommending.screen import show

            answers = ask(model, asked, k, given)
        for found in answers:
            if as_json:
                console.print(json.dumps(found.to_json(), ensure_ascii=False), markup=False, soft_wrap=True)
            else:
                show(console, found, len(given))


@click.command("export-vectors")
@model_option
@click.option("-o", "--output", required=True, metavar="FILE", help="A .parquet file; gs:// and s3:// too.")
def export_vectors(model: str, output: str) -> None:
    """Write the vectors of users and items, for a vector database.

    The columns are kind (user or item), id and vector. It says whether their dot products are what items are ranked by.
    """
    with for_reading() as console:
        with loading(console, "the model"):
            from components.serving.recommend import load
            from pipeline.recommending.vectors import export_vectors as export
        found = export(load(model, [])[0], output)
        meaning = (
            "their dot products are the logits, but for a bias that all share"
            if found.exact
            else "their dot products are NOT the model's scores: it has an MLP tower, whose share no vectors have"
        )
        counts = f"{found.users:,} users and {found.items:,} items, {found.width} columns each"
        console.print(f"{output}: {counts}; {meaning}", markup=False, soft_wrap=True)


def _of_bulk(
    everybody: bool, users_file: str | None, users: Sequence[str], items: str | None, as_json: bool, output: str | None
) -> str:
    """Where to write to.

    Raises:
      UserError: the options do not go together.
    """
    if everybody and users_file is not None:
        raise UserError("--all and --users FILE: one of them says for whom")
    if users or items is not None or as_json:
        raise UserError("--user, --items and --json go without --all and --users FILE, which write a file")
    if output is None:
        raise UserError("where to? Give -o FILE.parquet, FILE.csv or FILE.jsonl")
    return output


def _in_bulk(console: Console, model: str, users_file: str | None, k: int, output: str) -> None:
    from components.bulk_recommend.tables import form_of

    form_of(output)  # a mistyped name is told before the work
    with loading(console, "the model"):
        from components.bulk_recommend.bulk import catalogue_of, recommend_to_all, write_recommendations
        from components.bulk_recommend.fast import fastest
        from components.serving.contract import RECOMMEND
        from components.serving.recommend import load, user_ids
        from components.shared.files.reading import open_file

    progress.show_on(StepReporter(console))
    start = time.monotonic()
    served, titles = load(model, [RECOMMEND])
    if users_file is None:
        found = recommend_to_all(served, titles, k, output)
    else:
        with open_file(users_file) as file:
            users = user_ids(served, _lines(f"--users {users_file}", file.read()))
        found = write_recommendations(fastest(served), catalogue_of(served, titles), users, k, output)
    unknown = f", {found.unknown_users:,} of whom the model does not know" if found.unknown_users else ""
    told = f"{found.rows:,} rows for {found.users:,} users{unknown}; {time.monotonic() - start:.1f} s"
    console.print(f"{output}: {told}", markup=False, soft_wrap=True)


def _from_stdin() -> list[str]:
    return _lines(f"--user {_STDIN}", sys.stdin.buffer.read())


def _lines(option: str, content: bytes) -> list[str]:
    """The lines of a text that are not blank.

    Args:
      option: which option named it, for the message.
      content: the text, in UTF-8.

    Raises:
      UserError: it is no such text.
    """
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise UserError(f"{option}: it is no text in UTF-8") from None
    return [line.strip() for line in text.splitlines() if line.strip()]
