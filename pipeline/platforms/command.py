"""`submit`: a command for each platform, with the options that the platform declares."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from components.shared.errors import UserError
from pipeline.command_options import config_option, set_option
from pipeline.console import for_reading, leave, loading
from pipeline.platforms.base import Platform
from pipeline.platforms.following import follow
from pipeline.platforms.options import click_options
from pipeline.platforms.registry import PLATFORMS


class SubmitGroup(click.Group):
    """Has the platforms of the registry for commands."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(PLATFORMS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return _command(cmd_name, PLATFORMS[cmd_name]) if cmd_name in PLATFORMS else None

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0].startswith("--") and any(arg.partition("=")[0] == "--target" for arg in args):
            forms = ", or ".join(f"submit {name} ..." for name in PLATFORMS)
            leave(UserError(f"submit has no --target any more; the platform comes first: {forms}"))
        return super().parse_args(ctx, args)


@click.group(cls=SubmitGroup)
def submit() -> None:
    """Compile the pipeline, start a run of it and print its link."""


def _command(name: str, platform: Platform[Any]) -> click.Command:
    @click.command(name, short_help=platform.title, help=_HELP.format(title=platform.title))
    @config_option
    @set_option
    @click.option("--param", "parameters", multiple=True, metavar="NAME=VALUE", help="Choose one value for this run.")
    @click.option("--no-cache", is_flag=True, help="Run every step, even where an earlier run's result would do.")
    @click.option("--watch", is_flag=True, help="Follow the run to its end.")
    def command(
        config_path: Path,
        assignments: Sequence[str],
        parameters: Sequence[str],
        no_cache: bool,
        watch: bool,
        **options: Any,
    ) -> None:
        with for_reading() as console:
            with loading(console, "TFX"):
                from pipeline.platforms import submission, visibility
            chosen = platform.options(**options)
            visibility.check_pipeline_root(chosen.pipeline_root, platform)
            run = submission.prepare(config_path, assignments, parameters, platform, cache=not no_cache)
            connection = platform.connect(chosen)
            started = connection.start(run)
            console.print(f"{run.name}: {started.link}", soft_wrap=True)
            if watch:
                follow(connection, started, lambda line: console.print(line, soft_wrap=True))

    command.params += click_options(platform.options)
    return command


_HELP = """Compile the pipeline, start a run of it on {title} and print its link.

The parameters that --param does not name have the configuration's values.
"""
