"""Named entities in biomedical text: a large language model teaches, a small spaCy pipeline is shipped."""

from .annotation import Annotation, Mention

__version__ = "0.1.0"
__all__ = ["Annotation", "Mention", "__version__"]
