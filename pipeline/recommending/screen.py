"""Shows what a pushed model recommends."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from components.serving.recommend import Recommendation
from components.shared.harmless import harmless


def show(console: Console, recommendation: Recommendation, given: int = 0) -> None:
    """Prints it as a table, below a line that says whom it is for, and what it goes by where `given` items were."""
    user = "" if recommendation.user is None else f"[bold]user {escape(harmless(recommendation.user))}[/bold]"
    about = "" if recommendation.known_user else _basis(recommendation, given)
    console.print(f"\n{', whom the model does not know: '.join(filter(None, [user, about]))}", soft_wrap=True)
    titled = any(recommendation.titles)
    table = Table("", "item", *(["title"] if titled else []), "score", box=None)
    titles = recommendation.titles or [None] * len(recommendation.items)
    for place, (item, title, score) in enumerate(
        zip(recommendation.items, titles, recommendation.scores, strict=True), start=1
    ):
        table.add_row(
            str(place), escape(harmless(item)), *([escape(harmless(title or ""))] if titled else []), f"{score:.4f}"
        )
    console.print(table)
    if recommendation.others:
        others = ", ".join(escape(harmless(other)) for other in recommendation.others)
        console.print(f"it knows, for example: {others}", soft_wrap=True)


def _basis(recommendation: Recommendation, given: int) -> str:
    """What is recommended to somebody whom the model does not know."""
    items = "the given item" if given == 1 else f"the {given} given items"
    if not given:
        return "the most popular items"
    if not recommendation.known_items:
        return f"the most popular items, as the model does not know {items}"
    known = "" if recommendation.known_items == given else f"{recommendation.known_items} of "
    return f"by {known}{items}"
