"""Pages of the site that lie beside docs/, or are no Markdown yet; MkDocs calls the functions that begin with `on_`."""

import json
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

HERE = Path(__file__).parent
PROJECT = HERE.parents[1]
BESIDE = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "LICENSE": "license.txt",
}
ASSETS = {"site.css": "assets/site.css", "worker.js": "assets/iframe-worker.js"}


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Adds what docs/ does not have."""
    for name, page in BESIDE.items():
        files.append(File.generated(config, page, content=links_in_site((PROJECT / name).read_text(encoding="utf-8"))))
    for notebook in (PROJECT / "docs").glob("*.ipynb"):
        page = f"{notebook.stem}.md"
        files.append(
            File.generated(config, page, content=as_markdown(json.loads(notebook.read_text(encoding="utf-8"))))
        )
    for name, asset in ASSETS.items():
        files.append(File.generated(config, asset, abs_src_path=str(HERE / name)))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """What docs/ says of files beside it."""
    return links_in_site(markdown)


def links_in_site(markdown: str) -> str:
    """A text whose links lead to pages of the site: what lies beside docs/ lies among them there.

    Example:
      >>> links_in_site("[splits](docs/splits.md), [how to change it](../CONTRIBUTING.md)")
      '[splits](splits.md), [how to change it](contributing.md)'
    """
    for name, page in BESIDE.items():
        markdown = re.sub(rf"\]\((?:\.\./)?{re.escape(name)}(?=[)#])", f"]({page}", markdown)
    return re.sub(r"\]\(docs/", "](", markdown)


def as_markdown(notebook: dict[str, object]) -> str:
    """The cells of a notebook (nbformat 4), code in fences; outputs are left out."""
    cells = notebook["cells"]
    assert isinstance(cells, list)
    texts = [("".join(cell["source"]), cell["cell_type"] == "code") for cell in cells]
    return "\n\n".join(f"```python\n{text}\n```" if code else text for text, code in texts) + "\n"
