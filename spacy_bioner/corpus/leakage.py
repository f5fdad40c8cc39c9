"""Finding the same text again: what is tested on must not be trained on, also not under another id or spacing."""

import re
import unicodedata
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import Callable, Dict, Iterable, Iterator, List, Optional, Set

from ..annotation import Annotation
from ..errors import BionerError, Errors
from ..tokens import find_units
from .sentences import split_sentences

# Headings such as "METHODS." stand in many documents and give none away.
TELLING_UNITS = 5
_NO_LETTER = re.compile(r"[\W_]+")
# Nor does the notice that MEDLINE put below abstracts, once normalised.
_NOTICE = re.compile(r"abstracttruncated(at\d+words)?")


def normalise(text: str) -> str:
    """Return the letters and digits of a text, case and Unicode form folded: equal for the same sentence."""
    return _NO_LETTER.sub("", unicodedata.normalize("NFKC", text).casefold())


def is_telling(text: str, *, units: int = TELLING_UNITS) -> bool:
    """Return whether a sentence gives its document away: it has so many units, and is no notice of a database."""
    return len(find_units(text)) >= units and not _NOTICE.fullmatch(normalise(text))


class KnownTexts:
    """The texts of some files, whole and sentence by sentence, as hashes: eight bytes a text.

    paths (Iterable[Path]): Files of records.
    read (Callable[..., Iterable[Annotation]]): Reads one of them, as raw text.
    """

    def __init__(self, paths: Iterable[Path], read: Callable[..., Iterable[Annotation]]) -> None:
        self._paths: List[Path] = [Path(path) for path in paths]
        self._known: Dict[bytes, int] = {}
        for number, path in enumerate(self._paths):
            for annotation in read(path, raw=True):
                for key in [*_keys(annotation, telling=1, whole=True), *map(_hash, list_raw_cuts(annotation))]:
                    self._known.setdefault(key, number)

    def __len__(self) -> int:
        return len(self._known)

    def find(self, annotation: Annotation, *, headings: bool = False) -> Optional[Path]:
        """Say where a text was seen.

        annotation (Annotation): A sentence, or a document, which is found too by any of its sentences but headings.
        headings (bool): Whether a heading that was cut out of a document is found as well.
        RETURNS (Optional[Path]): The file that holds it, if any does.
        """
        whole = headings or "document" not in annotation.meta
        for key in _keys(annotation, telling=TELLING_UNITS, whole=whole):
            if key in self._known:
                return self._paths[self._known[key]]
        return None


def refuse_known(annotations: Iterable[Annotation], known: KnownTexts) -> Iterator[Annotation]:
    """Pass annotations on whose text is not held out.

    annotations (Iterable[Annotation]): Any annotations.
    known (KnownTexts): The records that are held out.
    YIELDS (Annotation): The same.
    RAISES BionerError: E015 for one that stands in a held-out file too.
    """
    for annotation in annotations:
        other = known.find(annotation)
        if other is not None:
            raise BionerError(Errors.E015.format(id=annotation.id, other=other))
        yield annotation


def drop_repeated(annotations: Iterable[Annotation]) -> Iterator[Annotation]:
    """Leave out annotations whose text, normalised, came before.

    annotations (Iterable[Annotation]): Any annotations.
    YIELDS (Annotation): The first of each text.
    """
    seen: Set[bytes] = set()
    for annotation in annotations:
        key = _hash(normalise(annotation.text))
        if key not in seen:
            seen.add(key)
            yield annotation


def _keys(annotation: Annotation, *, telling: int, whole: bool) -> Iterator[bytes]:
    """Yield the hashes of the whole text and of its sentences with so many units."""
    return map(_hash, list_normalised(annotation, telling=telling, whole=whole))


def list_normalised(annotation: Annotation, *, telling: int = TELLING_UNITS, whole: bool) -> List[str]:
    """Normalise the whole text, and its sentences.

    annotation (Annotation): A sentence or a document.
    telling (int): Units that a sentence must have.
    whole (bool): Whether the text as a whole is among them, however short.
    RETURNS (List[str]): Normalised texts; those without letters are left out.
    """
    # Labelled text has no cut inside a mention, and a raw copy of it has: both cuts are known.
    cuts = [annotation, annotation.with_mentions(())] if annotation.mentions else [annotation]
    sentences = dict.fromkeys(sentence.text for cut in cuts for sentence in split_sentences(cut))
    texts = [text for text in sentences if telling == 1 or is_telling(text, units=telling)]
    return [text for text in map(normalise, [annotation.text, *texts] if whole else texts) if text]


def list_raw_cuts(annotation: Annotation) -> List[str]:
    """Normalise the pieces that the same text is cut into where it is raw text.

    annotation (Annotation): A sentence or a document; no label hinders a cut, nor that it is said to be a sentence.
    RETURNS (List[str]): Normalised pieces, but for headings.
    """
    meta = {key: value for key, value in annotation.meta.items() if key != "unit"}
    return list_normalised(replace(annotation, mentions=(), meta=meta), whole=False)


def _hash(text: str) -> bytes:
    return blake2b(text.encode("utf8", "surrogatepass"), digest_size=8).digest()
