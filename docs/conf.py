"""Settings of the documentation site, built by `make docs`."""

from spacy_bioner import __version__

project = "spacy-bioner"
author = "the spacy-bioner contributors"
release = __version__
extensions = ["myst_parser", "sphinx_copybutton"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence", "deflist", "fieldlist"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = f"spacy-bioner {__version__}"
# The site is browsed from disk as well: no sources, no fonts or scripts from elsewhere.
html_copy_source = False
html_show_sourcelink = False
nitpicky = True
