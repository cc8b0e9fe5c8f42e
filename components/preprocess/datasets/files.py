"""Finds the files that hold the interactions."""

import glob
import os

from components.preprocess.config import DatasetConfig
from components.preprocess.datasets import movielens
from components.preprocess.readers.base import Columns, Source
from components.shared.errors import UserError


def resolve_source(dataset: DatasetConfig) -> Source:
    """Finds the files of a dataset of kind `movielens` or `files`.

    Raises:
      UserError: there is no such file, or its format cannot be told.
    """
    if dataset.kind == "movielens":
        return movielens.resolve(dataset.name, dataset.mirror, dataset.cache_dir)
    return _from_files(dataset)


def _from_files(dataset: DatasetConfig) -> Source:
    assert dataset.path is not None
    pattern = os.path.expanduser(dataset.path)
    paths = [pattern] if os.path.isfile(pattern) else sorted(filter(os.path.isfile, glob.glob(pattern, recursive=True)))
    if not paths:
        what = (
            "a folder: give a file or a glob such as FOLDER/*.csv"
            if os.path.isdir(pattern)
            else "not there; check it (a relative path starts from the current folder)"
        )
        raise UserError(f"dataset.path: {dataset.path} is {what}")
    kind = _format(dataset, paths[0])
    columns = Columns(dataset.user_column, dataset.item_column, dataset.timestamp_column, dataset.rating_column)
    if kind == "parquet":
        return Source(tuple(paths), "parquet", None, True, columns, dataset.path)
    separator = dataset.separator or ("\t" if kind == "tsv" else ",")
    named = any(isinstance(column, str) for column in vars(columns).values())
    header = named if dataset.header is None else dataset.header
    if named and not header:
        raise UserError(
            "dataset.header: without a header, give the columns by 0-based position (dataset.user_column=0)"
        )
    return Source(tuple(paths), "csv", separator, header, columns, dataset.path)


def _format(dataset: DatasetConfig, path: str) -> str:
    if dataset.format != "auto":
        return dataset.format
    suffix = os.path.splitext(path.removesuffix(".gz"))[1].lower()
    formats = {".csv": "csv", ".tsv": "tsv", ".tab": "tsv", ".parquet": "parquet", ".pq": "parquet"}
    if suffix in formats:
        return formats[suffix]
    if dataset.separator is not None:
        return "csv"
    raise UserError(f"dataset.format: {path} does not end in .csv, .tsv or .parquet; say which it is, or its separator")
