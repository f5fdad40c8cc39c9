"""Settings of the documentation site, built by `make docs`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from generated_pages import fill_page  # noqa: E402

from spacy_bioner import __version__  # noqa: E402

project = "spacy-bioner"
author = "the spacy-bioner contributors"
release = __version__
extensions = ["myst_parser", "sphinx_copybutton"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence", "deflist", "fieldlist"]
myst_heading_anchors = 4
html_show_copyright = False
html_theme = "furo"
html_title = f"spacy-bioner {__version__}"
# The site is browsed from disk as well: no sources, no fonts or scripts from elsewhere.
html_copy_source = False
html_show_sourcelink = False
nitpicky = True
copybutton_prompt_text = "$ "


def setup(app):
    """Fill generated parts into pages as they are read."""
    app.connect("source-read", lambda app, name, source: source.__setitem__(0, fill_page(source[0])))
