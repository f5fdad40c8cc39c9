"""The tokenizer of the trained pipeline: cuts where the annotator's marks may stand, at the units of a text."""

from pathlib import Path
from typing import Callable, Iterable, Union

from spacy.language import Language
from spacy.tokens import Doc
from spacy.vocab import Vocab

from ..formats.docbin import build_doc


class UnitTokenizer:
    """Makes a Doc whose tokens are the units of its text; it has no settings and nothing to store.

    vocab (Vocab): The vocabulary of the pipeline.
    """

    def __init__(self, vocab: Vocab):
        self.vocab = vocab

    def __call__(self, text: str) -> Doc:
        return build_doc(self.vocab, text)

    def pipe(self, texts: Iterable[str], **_: object) -> Iterable[Doc]:
        return map(self, texts)

    def to_bytes(self, **_: object) -> bytes:
        return b""

    def from_bytes(self, data: bytes, **_: object) -> "UnitTokenizer":
        return self

    def to_disk(self, path: Union[str, Path], **_: object) -> None:
        # spaCy gives every tokenizer a file of its own and reads it back; it says what made the tokens.
        Path(path).write_text("spacy-bioner.UnitTokenizer.v1\n", encoding="utf8")

    def from_disk(self, path: Union[str, Path], **_: object) -> "UnitTokenizer":
        return self


def make_unit_tokenizer() -> Callable[[Language], UnitTokenizer]:
    """Return a function that makes the tokenizer of a pipeline."""
    def create_tokenizer(nlp: Language) -> UnitTokenizer:
        return UnitTokenizer(nlp.vocab)

    return create_tokenizer
