"""The evaluation as one page to look at: `report.html`."""

from components.evaluator.report.code_origin import git_version
from components.evaluator.report.page import render

__all__ = ["git_version", "render"]
