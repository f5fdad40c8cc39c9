"""Which texts a pipeline, an adapter or a head start was trained on: salted hashes of sentences beside it, and no text.

Whoever has a sentence can ask whether it was among them; from the hashes alone no sentence can be read. Short ones,
which could be guessed, and notices of databases are left out.
"""

import secrets
from hashlib import blake2b
from pathlib import Path
from typing import Any, FrozenSet, Iterable, Optional

from ..annotation import Annotation
from ..corpus.leakage import is_telling, list_normalised
from ..errors import BionerError, Errors
from ..files import write_json
from ..formats import read_annotations

FILE = "training_texts.json"
_KIND = "spacy-bioner training texts 1"


class TrainingTexts:
    """Hashes of the sentences of some files.

    salt (bytes): What is hashed with each sentence, 16 bytes.
    hashes (FrozenSet[str]): In hexadecimal digits.
    """

    def __init__(self, salt: bytes, hashes: FrozenSet[str]) -> None:
        self._salt, self._hashes = salt, hashes

    def __len__(self) -> int:
        return len(self._hashes)

    @classmethod
    def read(cls, paths: Iterable[Path], *, more: Optional["TrainingTexts"] = None) -> "TrainingTexts":
        """Hash the sentences of records.

        paths (Iterable[Path]): Files of any format.
        more (Optional[TrainingTexts]): What an earlier training has seen, which is counted too.
        RETURNS (TrainingTexts): Their hashes, with a salt of their own, or that of `more`.
        """
        begun = more or cls(secrets.token_bytes(16), frozenset())
        found = (begun._hash(text) for path in paths for annotation in read_annotations(path, raw=True)
                 for text in _texts(annotation))
        return cls(begun._salt, begun._hashes.union(found))

    @classmethod
    def from_json(cls, value: Any, *, path: Any) -> "TrainingTexts":
        """Take what `write` wrote.

        value (Any): The content of the file.
        path (Any): Where it was read, for the error.
        RETURNS (TrainingTexts): The hashes.
        RAISES BionerError: E011 for what is no such file.
        """
        fits = isinstance(value, dict) and value.get("kind") == _KIND and isinstance(value.get("hashes"), list)
        if not fits or not all(isinstance(one, str) for one in (value.get("salt"), *value["hashes"])):
            raise BionerError(Errors.E011.format(path=path, wanted="hashes of training texts", why="another content"))
        try:
            return cls(bytes.fromhex(value["salt"]), frozenset(value["hashes"]))
        except ValueError as error:
            raise BionerError(Errors.E011.format(path=path, wanted="hashes of training texts", why=error)) from None

    def write(self, folder: Path) -> None:
        """Write the hashes into the folder of a pipeline."""
        write_json(folder / FILE, {"kind": _KIND, "salt": self._salt.hex(), "hashes": sorted(self._hashes)})

    def holds(self, annotation: Annotation) -> bool:
        """Return whether a text, or one of its sentences but the shortest, is among them."""
        return any(self._hash(text) in self._hashes for text in _texts(annotation))

    def _hash(self, text: str) -> str:
        return blake2b(text.encode("utf8", "surrogatepass"), digest_size=8, salt=self._salt[:16]).hexdigest()


def _texts(annotation: Annotation) -> Iterable[str]:
    return list_normalised(annotation, whole=is_telling(annotation.text))
