"""The command `serve`."""

from pathlib import Path

import click

from components.shared.errors import UserError
from pipeline.console import leave


@click.command()
@click.option("--model", required=True, metavar="DIR", help="A SavedModel, or where versions of it are pushed to.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 for all.")
@click.option("--port", type=click.IntRange(0, 65535), default=8501, show_default=True, help="0: one that is free.")
@click.option("--name", default="neumf", show_default=True, help="Of the model, in /v1/models/NAME.")
@click.option(
    "--poll",
    type=click.FloatRange(min=0.1),
    default=10.0,
    show_default=True,
    help="Seconds from one look for a newer version to the next.",
)
@click.option(
    "--token-file",
    type=click.Path(path_type=Path),
    help="A file with a token that every request has to bring: Authorization: Bearer TOKEN.",
)
@click.option(
    "--log-requests/--no-log-requests", default=None, help="Tell of each request; default: not on a terminal."
)
def serve(
    model: str, host: str, port: int, name: str, poll: float, token_file: Path | None, log_requests: bool | None
) -> None:
    """Serve a pushed model over HTTP, with a page to look at.

    A version that is pushed later takes over once it is loaded; one that cannot be loaded leaves the one before. Its
    log is lines of JSON on standard error. SIGTERM and Ctrl-C stop it, after what was asked before has been answered.
    """
    import sys

    try:
        from pipeline.service import guard, logs, server

        if not name.replace("-", "").replace("_", "").isalnum() or not name.isascii():
            raise UserError(f"--name {name}: letters, digits, - and _ are expected")
        token = guard.read_token(token_file) if token_file else None
        told = not sys.stderr.isatty() if log_requests is None else log_requests
        logs.to_stderr()
        click.echo(f"loading the newest version in {model} …")
        answered = server.serve(server.Options(model, host, port, name, poll, token, told), _ready)
    except (UserError, KeyboardInterrupt) as error:
        leave(error)
    click.echo(f"stopped after {answered:,} requests")


def _ready(address: str, version: str) -> None:
    click.echo(f"version {version} answers at {address}/  (page; {address}/docs: all requests; Ctrl-C stops)")
