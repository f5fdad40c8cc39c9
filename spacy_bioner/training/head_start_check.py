"""Keeps what a training begins with away from a corpus that it was trained on, by the hashes of its texts."""

from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, Mapping

from ..errors import BionerError, Errors
from ..formats import read_annotations
from ..llm.model_files import UnreadableFile, read_object
from .training_texts import FILE, TrainingTexts

_KEY = "start_from"


def find_starts(components: Any) -> Iterator[str]:
    """Yield the head starts that the components of a config begin with.

    components (Any): The section, or a part of it.
    """
    if isinstance(components, Mapping):
        if components.get(_KEY) is not None:
            yield str(components[_KEY])
        for value in components.values():
            yield from find_starts(value)


def check_starts(config: Mapping[str, Any], files: Iterable[Path]) -> Dict[str, Any]:
    """Refuse a head start that was trained on a text of these files.

    config (Mapping[str, Any]): A training config.
    files (Iterable[Path]): Gold, dev and test of a corpus.
    RETURNS (Dict[str, Any]): "head_start" with the checksum of the weights and the names of the sources, for the model
        card; nothing where the config has no head start.
    RAISES BionerError: E572 for a file with a text of its training, E569 where it cannot be read.
    """
    told: Dict[str, Any] = {}
    for start_from in dict.fromkeys(find_starts(config.get("components"))):
        from ..ml.head_start.folder import WEIGHTS_FILE, find_head_start, read_card

        folder = find_head_start(start_from)
        card = read_card(folder)
        texts = read_texts(folder)
        for path in dict.fromkeys(map(Path, files)):
            refuse_seen(path, texts, folder)
        told = {"head_start": {"sha256": card.sha256[WEIGHTS_FILE], "sources": list(card.sources)}}
    return told


def refuse_seen(path: Path, texts: TrainingTexts, folder: Path) -> None:
    """Refuse records of which one stands among the texts of a head start or an adapter.

    path (Path): The records.
    texts (TrainingTexts): Hashes of the texts.
    folder (Path): The head start or adapter, for the error.
    RAISES BionerError: E572.
    """
    seen, total = [], 0
    for annotation in read_annotations(path, raw=True):
        total += 1
        if texts.holds(annotation):
            seen.append(annotation.id)
    if seen:
        raise BionerError(Errors.E572.format(path=folder, count=len(seen), total=total, file=path, id=seen[0]))


def read_texts(folder: Path) -> TrainingTexts:
    """Return the hashes that lie in a folder; raises BionerError E569 where there are none."""
    try:
        return TrainingTexts.from_json(read_object(folder / FILE), path=folder / FILE)
    except UnreadableFile as error:
        raise BionerError(Errors.E569.format(path=folder, why=error)) from None
