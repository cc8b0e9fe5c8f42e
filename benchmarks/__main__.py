"""`python -m benchmarks NAME [options]`: each module of this folder with a `command` is a benchmark."""

import pkgutil
from pathlib import Path
from typing import Any

import click

import benchmarks
from benchmarks import harness
from components.shared.errors import UserError

_NOT_BENCHMARKS = {
    "__main__", "attack", "columns", "examples", "harness", "jax_training", "machine", "neumf", "peers", "scale_fit",
    "scale_steps", "suite", "weights",
}  # fmt: skip


class _Benchmarks(click.Group):
    """Finds the benchmarks in the folder, and imports only the one that is asked for."""

    def list_commands(self, context: click.Context) -> list[str]:
        names = (module.name for module in pkgutil.iter_modules(benchmarks.__path__))
        return sorted(name for name in names if name not in _NOT_BENCHMARKS and not name.startswith("_"))

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        return _reporting(name, harness.load(name).command) if name in self.list_commands(context) else None


def _reporting(name: str, command: click.Command) -> click.Command:
    """The command with its results printed, and written where `--json` says."""
    measure = command.callback
    assert measure is not None

    def run(json_path: Path | None, **options: Any) -> None:
        try:
            results = measure(**options)
        except UserError as error:
            click.echo(f"error: {error}", err=True)
            raise SystemExit(2) from None
        harness.report(name, results, json_path)
        raise SystemExit(any(result.ok is False for result in results))

    json_option = click.Option(["--json", "json_path"], type=click.Path(path_type=Path), help="Write the results here.")
    return click.Command(name, params=[*command.params, json_option], callback=run, help=command.help)


@click.group(cls=_Benchmarks)
def main() -> None:
    """Measure a claim of the README beside its peers; exits with 1 where a bar is missed, 2 where a peer is."""


if __name__ == "__main__":
    main(prog_name="python -m benchmarks")
