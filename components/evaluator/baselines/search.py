"""The search for a baseline's settings: up a grid, in few and always the same steps."""

from collections.abc import Callable, Mapping, Sequence

Point = dict[str, float]


def ascend(
    grid: Mapping[str, Sequence[float]], start: Mapping[str, float], measure: Callable[[Point], float], most: int
) -> Point:
    """Goes from a point of a grid to one whose neighbours are all no better, a key and a step at a time.

    Args:
      grid: the values of each key, ascending; the keys in the order in which they are tried.
      start: one of the grid's points.
      measure: how good a point is; asked once of each.
      most: how many points are measured at most.

    Example:
      >>> ascend({"x": (1, 2, 3, 4), "y": (0, 1)}, {"x": 1, "y": 0}, lambda point: -((point["x"] - 3) ** 2), most=9)
      {'x': 3, 'y': 0}
    """
    best, measured = dict(start), {tuple(start.values()): measure(dict(start))}
    before: Point = {}
    while before != best:
        before = best
        for key, values in grid.items():
            for step in (1, -1):
                while 0 <= (place := values.index(best[key]) + step) < len(values):
                    point = {**best, key: values[place]}
                    if tuple(point.values()) not in measured:
                        if len(measured) == most:
                            return best
                        measured[tuple(point.values())] = measure(point)
                    if measured[tuple(point.values())] <= measured[tuple(best.values())]:
                        break
                    best = point
    return best
