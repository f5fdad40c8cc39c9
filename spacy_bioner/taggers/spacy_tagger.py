"""Any spaCy pipeline as an annotator: its span group, or its entities."""

from dataclasses import replace
from pathlib import Path
from typing import Iterable, Iterator, List, Optional, Sequence, Set, Tuple

from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import load_model

from ..annotation import Annotation, Mention, in_text_order
from ..errors import BionerError, Errors
from ..formats.docbin import doc_to_annotation, set_meta
from ..grounding.words import trim
from ..training.pipeline_loading import load_pipeline
from .opening import ENTS, drop_overlapping

_KEY = "sc"
# Holds the entities while they are read; no pipeline has a span group of this name.
_ENTITIES = "spacy_bioner/ents"


class SpacyTagger:
    """A spaCy pipeline.

    name (str): Its folder, or the name of its package.
    spans_key (Optional[str]): Key of its span group, or "ents"; None takes "sc" where the pipeline writes it.
    RAISES BionerError: E001 and E549 where it cannot be read.
    """

    def __init__(self, name: str, *, spans_key: Optional[str] = None) -> None:
        self.nlp: Language = load_pipeline(Path(name)) if Path(name).is_dir() else _load_package(name)
        self.spans_key = spans_key
        meta = self.nlp.meta
        self.name = f"{meta['lang']}_{meta['name']}-{meta['version']}"
        # Its parser and tagger have labels too, so these say nothing of its mentions.
        self.labels: Sequence[str] = ()

    def find(self, texts: Iterable[Annotation]) -> Iterator[Tuple[Annotation, Sequence[Mention]]]:
        """Yield each text with its mentions, which have no white space at their edges; raises E249 for a text that is
        too long, E607 at the end where no Doc has the key."""
        keys: Set[str] = set()
        some = False
        for doc, text in self.nlp.pipe(self._make_docs(texts), as_tuples=True):
            some = True
            keys.update(doc.spans)
            yield text, self._read(doc)
        if some and self.spans_key not in (None, ENTS, *keys):
            raise BionerError(Errors.E607.format(system=self.name, key=self.spans_key,
                                                 found=", ".join(sorted(keys)) or "none"))

    def _make_docs(self, texts: Iterable[Annotation]) -> Iterator[Tuple[Doc, Annotation]]:
        for text in texts:
            if len(text.text) > self.nlp.max_length:
                raise BionerError(Errors.E249.format(id=text.id, length=len(text.text), name=self.name,
                                                     most=self.nlp.max_length))
            doc = self.nlp.make_doc(text.text)
            set_meta(doc, text.with_mentions(()))
            yield doc, text

    def _read(self, doc: Doc) -> List[Mention]:
        key = self.spans_key or (_KEY if _KEY in doc.spans else ENTS)
        if key == ENTS:
            doc.spans[_ENTITIES] = list(doc.ents)
            key = _ENTITIES
        mentions = []
        for mention in doc_to_annotation(doc, key).mentions:
            start, end = trim(doc.text, mention.start, mention.end)
            if start < end:
                mentions.append(replace(mention, start=start, end=end))
        # Those that differed in white space alone are the same now.
        return list(in_text_order(drop_overlapping(mentions)))


def _load_package(name: str) -> Language:
    try:
        return load_model(name)
    except BionerError:
        raise
    except (OSError, ValueError, ImportError) as error:
        raise BionerError(Errors.E549.format(path=name, why=" ".join(str(error).split())[:200])) from None
