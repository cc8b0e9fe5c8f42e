"""Shows what a pushed model recommends."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from components.serving.recommend import Recommendation


def show(console: Console, recommendation: Recommendation) -> None:
    """Prints it as a table."""
    about = "" if recommendation.known else ", whom the model does not know: the most popular items"
    console.print(f"\n[bold]user {escape(recommendation.user)}[/bold]{about}", soft_wrap=True)
    table = Table("", "item", "score", box=None)
    for place, (item, score) in enumerate(zip(recommendation.items, recommendation.scores, strict=True), start=1):
        table.add_row(str(place), escape(item), f"{score:.4f}")
    console.print(table)
