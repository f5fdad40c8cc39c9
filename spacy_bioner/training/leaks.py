"""Sentences of held-out parts, found by their text in what is to be trained on."""

import re
import zlib
from pathlib import Path
from typing import Dict, Iterable, Iterator, Optional

from ..annotation import Annotation
from ..formats.jsonl import read_jsonl
from ..formats.sentences import find_sentences

# Shorter ones ("Case report.", "RESULTS:") stand in many documents and give nothing away.
_LEAST_CHARACTERS = 40
_LEAST_CHARACTERS_CJK = 12
_CJK = re.compile(r"[\u3400-\u9fff]")
_NOT_A_WORD = re.compile(r"[\W_]+")


def sentence_keys(text: str) -> Iterator[int]:
    """Yield a key for each sentence that is long enough to be known again.

    text (str): A text.
    YIELDS (int): A checksum of its letters and digits in lower case: spacing and marks do not hide a sentence.
    """
    for start, end in find_sentences(text, "zh" if _CJK.search(text) else "en"):
        sentence = text[start:end]
        letters = _NOT_A_WORD.sub("", sentence.casefold())
        if len(letters) >= (_LEAST_CHARACTERS_CJK if _CJK.search(sentence) else _LEAST_CHARACTERS):
            yield zlib.crc32(letters.encode("utf8")) << 32 | zlib.adler32(letters.encode("utf8"))


class HeldOut:
    """The sentences of the parts that no training may see.

    paths (Iterable[Path]): Records of dev and test parts.
    """

    def __init__(self, paths: Iterable[Path]):
        self._owner: Dict[int, str] = {}
        for path in map(Path, paths):
            for annotation in read_jsonl(path):
                for key in sentence_keys(annotation.text):
                    self._owner.setdefault(key, f"'{annotation.id}' of {path.name}")

    def find(self, annotation: Annotation) -> Optional[str]:
        """RETURNS (Optional[str]): Which held-out record shares a sentence with this one; None where none does."""
        if not self._owner:
            return None
        return next((self._owner[key] for key in sentence_keys(annotation.text) if key in self._owner), None)
