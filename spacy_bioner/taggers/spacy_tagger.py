"""Any spaCy pipeline as an annotator: its span group, or its entities."""

from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, Optional, Sequence, Set, Tuple

from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import load_model

from ..annotation import Annotation, in_text_order
from ..errors import BionerError, Errors
from ..formats.docbin import doc_to_annotation, set_meta
from ..grounding.words import trim
from ..training.pipeline_loading import load_pipeline
from .opening import ENTS, Found, drop_overlapping

_KEY = "sc"
# Holds the entities while they are read; no pipeline has a span group of this name.
_ENTITIES = "spacy_bioner/ents"
# Where a Doc keeps its place among those that are read together.
_PLACE = "spacy_bioner/place"
# Texts that are held at once, however large the batches of a pipeline are; spaCy's usual ones are of 1,000.
_MOST_TOGETHER = 256


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
        # The span groups of all Docs so far; None before the first one.
        self._keys: Optional[Set[str]] = None
        # By the place of a text among those that are read together.
        self._errors: Dict[int, Exception] = {}
        self.nlp.set_error_handler(self._take_error)  # type: ignore[arg-type]

    def find(self, texts: Iterable[Annotation]) -> Iterator[Tuple[Annotation, Found]]:
        """Yield each text with its mentions, which have no white space at their edges, or with the error on it: E249
        for one that is too long, E251 for one without a Doc, else what a component has raised. Raises E607 at the end
        where no Doc has the key."""
        waiting = iter(texts)
        # Of these groups the components make the same batches as of all texts, but for very large ones.
        while group := list(islice(waiting, min(self.nlp.batch_size, _MOST_TOGETHER))):
            for found, text in zip(self._find_together(group), group):
                yield text, found
        if self._keys is not None and self.spans_key not in (None, ENTS, *self._keys):
            raise BionerError(Errors.E607.format(system=self.name, key=self.spans_key,
                                                 found=", ".join(sorted(self._keys)) or "none"))

    def _find_together(self, texts: Sequence[Annotation]) -> Iterator[Found]:
        """Yield what is found in each text; where a component fails on several at once, each is read by itself."""
        self._errors.clear()
        found: Dict[int, Found] = {}
        reached = 0
        for doc in self.nlp.pipe(self._make_docs(texts)):
            place = _find_place(doc)
            if place is not None:
                self._keys = (self._keys or set()).union(doc.spans)
                found[place] = self._errors.get(place) or self._read(doc)
            while reached in found:
                yield found.pop(reached)
                reached += 1
        found.update(self._errors)
        for place, text in enumerate(texts[reached:], start=reached):
            if place in found:
                yield found[place]
            elif len(texts) == 1:
                yield BionerError(Errors.E251.format(id=text.id, name=self.name))
            else:
                yield from self._find_together([text])

    def _make_docs(self, texts: Iterable[Annotation]) -> Iterator[Doc]:
        for place, text in enumerate(texts):
            if len(text.text) > self.nlp.max_length:
                self._errors[place] = BionerError(Errors.E249.format(id=text.id, length=len(text.text), name=self.name,
                                                                     most=self.nlp.max_length))
                continue
            doc = self.nlp.make_doc(text.text)
            set_meta(doc, text.with_mentions(()))
            doc.user_data[_PLACE] = place
            yield doc

    def _take_error(self, name: str, component: Any, docs: Sequence[Doc], error: Exception) -> None:
        """Keep the first error on a text. Of several texts in a batch it is not said which one it is."""
        place = _find_place(docs[0]) if len(docs) == 1 else None
        if place is not None:
            self._errors.setdefault(place, error)

    def _read(self, doc: Doc) -> Found:
        key = self.spans_key or (_KEY if _KEY in doc.spans else ENTS)
        if key == ENTS:
            doc.spans[_ENTITIES] = list(doc.ents)
            key = _ENTITIES
        mentions = []
        try:
            read = doc_to_annotation(doc, key).mentions
        except BionerError as error:
            return error
        for mention in read:
            start, end = trim(doc.text, mention.start, mention.end)
            if start < end:
                mentions.append(replace(mention, start=start, end=end))
        # Those that differed in white space alone are the same now.
        return list(in_text_order(drop_overlapping(mentions)))


def _find_place(doc: Optional[Doc]) -> Optional[int]:
    """Return the place of a Doc; None for what some components of spaCy give where they fail, which is no Doc."""
    return None if doc is None else doc.user_data.get(_PLACE)


def _load_package(name: str) -> Language:
    try:
        return load_model(name)
    except BionerError:
        raise
    except (OSError, ValueError, ImportError) as error:
        raise BionerError(Errors.E549.format(path=name, why=" ".join(str(error).split())[:200])) from None
