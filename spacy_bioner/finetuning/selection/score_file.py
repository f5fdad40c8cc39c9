"""Scores on disk, a line each as soon as it exists: a killed scoring resumes, another selection scores nothing anew."""

import hashlib
import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import IO, Dict, Iterator, List, Optional

from ...errors import BionerError, Errors
from ..pairs import Pair
from .ifd import AnswerLosses


def score_key(pair: Pair, identity: str) -> str:
    """Return the hash of all that a score depends on: the token ids, which of them count, and the model."""
    return hashlib.sha256(repr((identity, pair.prompt, pair.answer, pair.counted)).encode("utf8")).hexdigest()[:20]


class ScoreFile:
    """Scores by key, appended to a file.

    path (Path): The file; made where it is missing.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self._scores: Dict[str, AnswerLosses] = dict(self._read())
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file: Optional[IO[str]] = None

    def __enter__(self) -> "ScoreFile":
        self._file = self.path.open("a", encoding="utf8")
        if self._file.tell() and not self._ends_in_newline():
            # A kill in the middle of a line; the half line is passed over when reading.
            self._file.write("\n")
        return self

    @property
    def _opened(self) -> IO[str]:
        assert self._file is not None, "scores are kept inside `with`"
        return self._file

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def get(self, key: str) -> Optional[AnswerLosses]:
        return self._scores.get(key)

    def add(self, key: str, losses: AnswerLosses) -> None:
        """Keep a score, on disk before this returns."""
        self._scores[key] = losses
        self._opened.write(json.dumps({"key": key, **asdict(losses)}) + "\n")
        self._opened.flush()

    def _ends_in_newline(self) -> bool:
        with self.path.open("rb") as file_:
            file_.seek(-1, 2)
            return file_.read() == b"\n"

    def _read(self) -> Iterator[tuple]:
        if not self.path.is_file():
            return
        try:
            lines: List[str] = self.path.read_text(encoding="utf8").split("\n")
        except UnicodeDecodeError as error:
            raise BionerError(Errors.E011.format(path=self.path, wanted="a file of scores", why=error)) from None
        for number, line in enumerate(lines, start=1):
            try:
                entry = json.loads(line) if line else None
            except json.JSONDecodeError:
                continue
            if entry is not None:
                try:
                    key, losses = entry.pop("key"), AnswerLosses(**entry)
                    if math.isfinite(losses.conditioned + losses.direct):
                        yield key, losses
                except (KeyError, TypeError, AttributeError):
                    raise BionerError(Errors.E003.format(path=self.path, line=number, why="not a score")) from None
