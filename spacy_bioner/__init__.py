"""Biomedical named entities: an LLM labels text, and a small spaCy pipeline learns from it.

Public names are imported when they are first used, so that `import spacy_bioner` loads neither spaCy nor torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, List

if TYPE_CHECKING:
    from .annotate_texts import annotate
    from .annotation import Annotation, Mention
    from .codecs import make_codec
    from .evaluation.metrics import evaluate
    from .formats import read_annotations, write_annotations
    from .llm.annotation.annotator import Annotator

__version__ = "0.1.0"
__all__ = ["Annotation", "Annotator", "Mention", "__version__", "annotate", "evaluate", "make_codec",
           "read_annotations", "write_annotations"]

_HOMES = {
    "Annotation": ".annotation",
    "Annotator": ".llm.annotation.annotator",
    "Mention": ".annotation",
    "annotate": ".annotate_texts",
    "evaluate": ".evaluation.metrics",
    "make_codec": ".codecs",
    "read_annotations": ".formats",
    "write_annotations": ".formats",
}


def __getattr__(name: str) -> object:
    """Return a public name, imported from its module."""
    if name not in _HOMES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name], __name__), name)


def __dir__() -> List[str]:
    return sorted({*globals(), *__all__})
