"""Looks at files of interactions: a sample says how they are to be read, and a pass over them what is in them."""

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from components.preprocess.config import DatasetConfig, PreprocessConfig
from components.preprocess.datasets.files import Files
from components.preprocess.inspection.columns import ROLES, Choice, choose_columns
from components.preprocess.inspection.counting import Counted, count, first_fault, reads_any_row
from components.preprocess.readers import READERS, format_of
from components.preprocess.readers.base import Sample, Source
from components.preprocess.readers.opening import is_unicode, open_bytes
from components.shared.errors import UserError
from components.shared.files import reading
from components.shared.files.secrets import without_secrets
from components.shared.json_types import JsonObject

_FEW_BAD = 0.01
"""Up to this share of the rows, those that cannot be read may be left out unasked."""

_MINIMA: tuple[dict[str, int], ...] = ({}, {"min_interactions": 3, "min_item_interactions": 1})
"""Minima of interactions, the defaults first."""

_HEAD_BYTES = 1 << 12
_PARQUET = b"PAR1"


Keys: TypeAlias = JsonObject
"""Keys of a section of the configuration, as YAML has them."""


@dataclass(frozen=True)
class Found:
    """What is to be known of files before a run.

    Attributes:
      dataset: what the section `dataset` has to say, what was given with it.
      preprocess: likewise, of the section `preprocess`.
      sample: some of the rows.
      choice: which column is what.
      counted: what a pass has counted with these settings.
      fault: the first row that cannot be read; empty where there is none.
    """

    dataset: Keys
    preprocess: Keys
    sample: Sample
    choice: Choice
    counted: Counted
    fault: str


def look(dataset: Mapping[str, Any], preprocess: Mapping[str, Any]) -> Found:
    """Finds out how files are to be read, and what is in them.

    Args:
      dataset: keys of the section that are known already, `path` among them, which win over what is found.
      preprocess: likewise.

    Raises:
      UserError: there are no such files, or they cannot be read so that users and items come of it.
    """
    found, path = dict(dataset), dataset["path"]
    if "format" not in found and (form := _format_by_content(path)) is not None:
        found["format"] = form
    if "encoding" not in found and (encoding := _encoding(path)) is not None:
        found["encoding"] = encoding
    source = _source(found)
    sample = READERS[source.format].sample(source)
    if len(sample.columns) == 1 and sample.separator is not None:
        raise UserError(
            f"dataset.path: {without_secrets(path)} has one column, where users and items are two; if it has more, say "
            "by dataset.separator what is between them, and remove lines that stand above the header"
        )
    choice = choose_columns(
        sample.columns, {role: found[f"{role}_column"] for role in ROLES if f"{role}_column" in found}, sample.nested
    )
    found = _with_columns(found, sample, choice, rated="min_rating" in preprocess)
    found, prepared, counted = _settled(found, dict(preprocess))
    fault = first_fault(DatasetConfig.model_validate(found | {"on_bad_row": "error"})) if counted.bad_rows else ""
    return Found(found, prepared, sample, choice, counted, fault)


def _format_by_content(path: str) -> str | None:
    """The format of files, by the first of them; None where their names tell the same."""
    paths = reading.match(path)
    if not paths:
        return None
    form = _form_of_content(paths[0])
    by_name = {format_of(path) for path in paths}
    texts = {name for name, reader in READERS.items() if reader.separator is not None}
    return None if by_name == {form} or (form in texts and by_name <= texts) else form


def _form_of_content(path: str) -> str:
    if _is_parquet(path):
        return "parquet"
    with open_bytes(path) as file:
        head = file.read(_HEAD_BYTES).removeprefix(codecs.BOM_UTF8).lstrip()
    # An array is JSON, too, of which its reader says what to do.
    return "json" if re.match(rb'\{\s*["}]|\[\s*[\[{"\d-]', head) else "csv"


def _encoding(path: str) -> str | None:
    """What text is taken for that is not UTF-8, nor marked as UTF-16; None for any other."""
    texts = (file for file in reading.match(path) if not _is_parquet(file))
    return None if all(map(is_unicode, texts)) else "latin-1"


def _is_parquet(path: str) -> bool:
    with open_bytes(path) as file:
        return file.read(len(_PARQUET)) == _PARQUET


def _source(dataset: Mapping[str, Any]) -> Source:
    """The files, of which the columns are not known yet: as for any interactions, there are two at least."""
    keys = {name: value for name, value in dataset.items() if name in Files.model_fields}
    return Files(
        **{**keys, "user_column": 0, "item_column": 1, "timestamp_column": None, "rating_column": None}
    ).source()


def _with_columns(dataset: Keys, sample: Sample, choice: Choice, rated: bool) -> Keys:
    """What is known already, and after it what a sample tells."""
    layout = {"separator": sample.separator, "header": sample.header}
    times = {"time_format": choice.time_format if choice.time_format != "auto" else None}
    told = {name: value for name, value in {**layout, **times}.items() if value is not None}
    columns = {f"{role}_column": choice.columns.get(role) for role in ROLES if role != "rating" or rated}
    return {**dataset, **{name: value for name, value in told.items() if name not in dataset}, **columns}


class _Settled(NamedTuple):
    """Keys of both sections, and what was counted with them."""

    dataset: Keys
    preprocess: Keys
    counted: Counted


def _settled(dataset: Keys, preprocess: Keys) -> _Settled:
    """The settings that a pass asks for: of quotes, of rows that cannot be read, and of the filters.

    Raises:
      UserError: nothing is left with any of them.
    """
    is_quoted_text = "separator" in dataset and "quoting" not in dataset
    tried: list[_Settled] = []
    faults: list[UserError] = []
    for quoting in ({}, {"quoting": "off"}) if is_quoted_text else ({},):
        if not tried or tried[0].counted.bad_rows:
            try:
                tried.append(_with_minima({**dataset, **quoting}, preprocess))
            except UserError as error:
                faults.append(error)
    if not tried:
        raise _why_nothing(dataset, faults[0])
    dataset, preprocess, counted = min(tried, key=lambda settled: settled.counted.bad_rows)
    if "on_bad_row" not in dataset and 0 < counted.bad_rows <= _FEW_BAD * counted.summary.rows_read:
        dataset = {**dataset, "on_bad_row": "skip"}
    return _Settled(dataset, preprocess, counted)


def _why_nothing(dataset: Keys, fault: UserError) -> UserError:
    """Why nothing is left: what is wrong with the first row, where none can be read."""
    if reads_any_row(DatasetConfig.model_validate(dataset | {"on_bad_row": "skip"})):
        return fault
    first = first_fault(DatasetConfig.model_validate(dataset | {"on_bad_row": "error"}))
    return UserError(f"no row can be read; the first: {first}") if first else fault


def _with_minima(dataset: Keys, preprocess: Keys) -> _Settled:
    """What is counted with the filters' defaults or, where those leave nothing, with lower ones.

    Raises:
      UserError: those leave nothing either, or the files cannot be read.
    """
    faults: list[UserError] = []
    for minima in _MINIMA:
        settings = {**minima, **preprocess}
        try:
            counted = count(DatasetConfig.model_validate(dataset), PreprocessConfig.model_validate(settings))
        except UserError as error:
            faults.append(error)
        else:
            return _Settled(dataset, settings, counted)
    raise faults[0]
