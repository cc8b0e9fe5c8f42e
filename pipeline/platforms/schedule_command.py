"""`schedule`: a command for each platform, which starts runs of a pipeline again and again."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from components.shared.errors import UserError
from pipeline.command_options import config_option, set_option
from pipeline.console import for_reading, loading
from pipeline.platforms import cron as cron_times
from pipeline.platforms.base import Platform, Schedule, Scheduler
from pipeline.platforms.options import click_options
from pipeline.platforms.registry import PLATFORMS


class ScheduleGroup(click.Group):
    """Has the platforms of the registry for commands."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(PLATFORMS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return _command(cmd_name, PLATFORMS[cmd_name]) if cmd_name in PLATFORMS else None


@click.group(cls=ScheduleGroup)
def schedule() -> None:
    """Have a platform start runs of the pipeline by itself; list, pause, resume and delete such schedules."""


def _command(name: str, platform: Platform[Any]) -> click.Command:
    @click.command(name, short_help=platform.title, help=_HELP.format(title=platform.title))
    @config_option
    @set_option
    @click.option(
        "--param", "parameters", multiple=True, metavar="NAME=VALUE", help="Choose one value for all its runs."
    )
    @click.option("--cron", metavar="TIMES", help='When runs start, as in "0 3 * * *": each night at three.')
    @click.option("--list", "listed", is_flag=True, help="List the schedules that there are.")
    @click.option("--pause", metavar="NAME", help="Start no more runs of a schedule until it is resumed.")
    @click.option("--resume", metavar="NAME", help="Start runs of a schedule again.")
    @click.option("--delete", metavar="NAME", help="Remove a schedule; its runs stay.")
    def command(
        config_path: Path,
        assignments: Sequence[str],
        parameters: Sequence[str],
        cron: str | None,
        listed: bool,
        pause: str | None,
        resume: str | None,
        delete: str | None,
        **options: Any,
    ) -> None:
        changes = {"pause": pause, "resume": resume, "delete": delete}
        if sum(map(bool, (cron, listed, *changes.values()))) != 1:
            raise click.UsageError("Give one of --cron, --list, --pause, --resume and --delete.")
        with for_reading() as console:
            with loading(console, "TFX"):
                from pipeline.platforms import submission, visibility
            chosen = platform.options(**options)
            visibility.check_pipeline_root(chosen.pipeline_root, platform)
            run = None
            if cron:
                _check_times(cron, platform)
                run = submission.prepare(config_path, assignments, parameters, platform, look=True)
            connection = platform.connect(chosen)
            if not isinstance(connection, Scheduler):
                raise UserError(f"{platform.title} starts no runs by itself: let cron call `submit {name}`")
            if cron and run:
                _say(console, connection.schedule(run, cron))
            elif listed:
                for found in connection.schedules():
                    _say(console, found)
            else:
                for change, of in changes.items():
                    if of:
                        _change(console, connection, change, of)

    command.params += click_options(platform.options)
    return command


def _check_times(times: str, platform: Platform[Any]) -> None:
    if fault := cron_times.fault(times):
        raise UserError(f"--cron {times!r}: {fault}, as in '0 3 * * *'")
    if (zone := cron_times.time_zone(times)) and platform.time_zone:
        raise UserError(
            f"--cron {times!r}: {platform.title} has one time zone for all schedules, {platform.time_zone}, and none "
            f"of a single one; leave {zone} out"
        )


def _say(console: Console, found: Schedule) -> None:
    console.print(f"{found.name}  {found.cron}  {found.state.lower()}", soft_wrap=True, markup=False, highlight=False)


def _change(console: Console, connection: Scheduler, change: str, name: str) -> None:
    known = connection.schedules()
    meant = [schedule for schedule in known if name in (schedule.name, schedule.id)]
    if not meant:
        there = ", ".join(schedule.name for schedule in known) or "none"
        raise UserError(f"--{change} {name}: there is no such schedule; there are: {there}")
    for schedule in meant:
        getattr(connection, change)(schedule)
        console.print(f"{schedule.name}: {_DONE[change]}", soft_wrap=True, markup=False, highlight=False)


_DONE = {"pause": "paused", "resume": "resumed", "delete": "deleted"}
_HELP = """Have {title} start runs of the pipeline by itself.

Each run looks first whether the files of the data set have changed. Where they have not, its steps come from the cache,
and nothing is trained or pushed again.
"""
