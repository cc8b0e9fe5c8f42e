"""How times are written, found from some of them."""

import pyarrow as pa

from components.preprocess.values.texts import is_missing, is_text
from components.preprocess.values.times import NUMBER, TimeForm, form_of, is_temporal, read_times

_DATES = ("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%d-%b-%Y", "%m %d, %Y", "%b %d, %Y")
_TIMES = ("", " %H:%M", " %H:%M:%S", ", %H:%M", " %I:%M %p", " %I:%M:%S %p")
PATTERNS = (
    *(date + time for date in _DATES for time in _TIMES),
    "%a %b %d %H:%M:%S %z %Y",
    "%a, %d %b %Y %H:%M:%S %Z",
    "%d/%b/%Y:%H:%M:%S %z",
)
"""How people write times, beside numbers and ISO 8601."""


def is_written_time(column: pa.Array) -> bool:
    """Whether all of a column are times by their type or in ISO 8601, or fit a usual pattern."""
    if is_temporal(column.type):
        return True
    texts = _texts(column)
    return bool(len(texts)) and not _fits(texts, NUMBER) and (_is_iso(texts) or bool(_patterns(texts)))


def find_time_format(column: pa.Array) -> tuple[str, str]:
    """How a column of times is to be read.

    Example:
      Of "13/09/2001" and "01/10/2001", it is "%d/%m/%Y"; of the second alone, that is a doubt.

    Args:
      column: some times, of any type.

    Returns:
      What `dataset.time_format` is to be, and a doubt, which is empty where there is none.
    """
    texts = _texts(column)
    if not len(texts) or _fits(texts, NUMBER) or _is_iso(texts):
        return "auto", ""
    patterns = _patterns(texts)
    if not patterns:
        return "auto", ""
    others = f"times fit {' and '.join(patterns)}: the former is assumed" if len(patterns) > 1 else ""
    return patterns[0], others


def _texts(column: pa.Array) -> pa.Array:
    """What is written in a column of texts, without what is missing."""
    if not is_text(column.type):
        return pa.array([], pa.string())
    texts = column.cast(pa.string()).drop_null()
    return texts.filter(pa.array(~is_missing(texts)))


def _is_iso(texts: pa.Array) -> bool:
    form = form_of(texts.to_pylist(), "auto")
    return form.kind == "iso" and _fits(texts, form)


def _patterns(texts: pa.Array) -> list[str]:
    # One text rules out nearly all of them.
    hopeful = [pattern for pattern in PATTERNS if _fits(texts[:1], TimeForm("pattern", "us", pattern))]
    return [pattern for pattern in hopeful if _fits(texts, TimeForm("pattern", "us", pattern))]


def _fits(texts: pa.Array, form: TimeForm) -> bool:
    return not read_times(texts, form)[1].any()
