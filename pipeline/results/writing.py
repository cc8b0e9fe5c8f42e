"""The part of a step's results in a container: TFX is not told of them, and they are written when it is done."""

from collections.abc import Callable

from components.artifacts import storage
from components.shared.json_types import Json
from pipeline.results.outputs import RESULTS


def take_out(executor_input: Json) -> dict[str, Json]:
    """Removes the results from the outputs that the step is told of.

    Args:
      executor_input: an ExecutorInput message, as JSON; changed in place.

    Returns:
      The artifact of each result, by its name.
    """
    outputs = executor_input.get("outputs", {}).get("artifacts", {})
    return {name: outputs.pop(name)["artifacts"][0] for name in RESULTS if name in outputs}


def write(results: dict[str, Json], outputs: Json, path_of: Callable[[str], str]) -> None:
    """Writes the results of a step that is done, and adds them to what it says of its outputs.

    Args:
      results: as `take_out` gave them.
      outputs: of the step, as in its ExecutorInput message.
      path_of: where the step writes what belongs to a URI.
    """
    if not results:
        return
    described: Json = storage.read_json(outputs["outputFile"])
    for name, artifact in results.items():
        result = RESULTS[name]
        source = outputs["artifacts"][result.source]["artifacts"][0]["uri"]
        if result.page:
            with storage.write_atomically(path_of(artifact["uri"])) as file:
                file.write(result.page(source))
        kept = {key: artifact[key] for key in ("name", "uri") if key in artifact}
        described.setdefault("artifacts", {})[name] = {"artifacts": [{**kept, "metadata": result.figures(source)}]}
    storage.write_json(outputs["outputFile"], described)
