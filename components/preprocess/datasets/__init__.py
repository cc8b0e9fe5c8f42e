"""Where interactions come from: `DATASETS` has every kind of data set.

A new kind is a class in a file of its own, with a line here. What it imports at its top is loaded with the
configuration, on every start: what is large (NumPy, Arrow, Beam) it imports where it reads.
"""

from components.preprocess.datasets.base import Dataset
from components.preprocess.datasets.bigquery import BigQuery
from components.preprocess.datasets.files import Files
from components.preprocess.datasets.movielens import MovieLens
from components.preprocess.datasets.ncf import NcfFiles
from components.preprocess.datasets.synthetic import Synthetic

DATASETS: dict[str, type[Dataset]] = {
    "movielens": MovieLens,
    "files": Files,
    "bigquery": BigQuery,
    "ncf": NcfFiles,
    "synthetic": Synthetic,
}
