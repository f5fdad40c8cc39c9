"""A GLiNER model as an annotator: asked for labels in words, long texts read in parts.

Zaratiana et al. (2024), doi:10.18653/v1/2024.naacl-long.300.
"""

from itertools import islice
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Sequence, Tuple

from ..annotation import Annotation, Mention
from ..corpus.sentences import find_sentences
from ..errors import BionerError, Errors
from ..extras import extra
from ..llm.local.pretrained import refuse_code
from ..llm.model_files import UnreadableFile, read_object
from ..tokens import find_units
from .opening import GLINER_FILE, drop_overlapping

_TEXTS = 64
_BATCH = 8
# What a model reads at once where its settings do not say, in words; a pre-token is never more than one.
_WORDS = 384
_OVERLAP = 0.25
_ENCODERS = ("encoder_config", "labels_encoder_config")
Part = Tuple[int, int]


class GlinerTagger:
    """A GLiNER model.

    folder (Path): Folder of the model, with its weights in safetensors, its tokenizer and the settings of its encoder.
    name (str): How records call it.
    schema (Mapping[str, str]): Label to definition. Without a map the model is asked for these labels, in lower case.
    map (Mapping[str, str]): What the model is asked for, to label.
    threshold (float): Least probability of a mention.
    device (str): Where it runs.
    RAISES BionerError: E203, E230 and E231 where the model cannot be loaded, E245 where a part of it lies elsewhere,
        E246 where there is nothing to ask for, E706 without the package gliner.
    """

    def __init__(self, folder: Path, *, name: str, schema: Mapping[str, str], map: Mapping[str, str],
                 threshold: float = 0.5, device: str = "cpu") -> None:
        with extra("gliner"):
            from gliner import GLiNER

        self.name = name
        self._asked: Dict[str, str] = {label: label for label in map} or {
            label.replace("_", " ").lower(): label for label in schema}
        if not self._asked:
            raise BionerError(Errors.E246.format(name=name))
        self.labels: Sequence[str] = list(self._asked.values())
        self._threshold = threshold
        settings = check_folder(folder)
        self._most = int(settings.get("max_len") or _WORDS)
        self._model: Any = GLiNER.from_pretrained(str(folder), local_files_only=True, load_tokenizer=True,
                                                  map_location=device)

    def find(self, texts: Iterable[Annotation]) -> Iterator[Tuple[Annotation, Sequence[Mention]]]:
        """Yield each text with its mentions, which may nest."""
        waiting = iter(texts)
        while group := list(islice(waiting, _TEXTS)):
            parts = [(index, part) for index, text in enumerate(group)
                     for part in cut_parts(text.text, str(text.meta.get("lang", "en")), most=self._most)]
            found: List[List[Mention]] = [[] for _ in group]
            asked = [group[index].text[start:end] for index, (start, end) in parts]
            answers = self._model.inference(asked, list(self._asked), flat_ner=False, threshold=self._threshold,
                                            batch_size=_BATCH) if asked else []
            for (index, (start, _)), entities in zip(parts, answers):
                found[index] += [Mention(start + one["start"], start + one["end"], self._asked[one["label"]],
                                         score=min(float(one["score"]), 1.0)) for one in entities]
            for text, mentions in zip(group, found):
                yield text, drop_overlapping(mentions)


def check_folder(folder: Path) -> Mapping[str, Any]:
    """Check that a folder holds a whole model and no code, before the package reads it.

    folder (Path): The folder.
    RETURNS (Mapping[str, Any]): The settings of the model.
    RAISES BionerError: E203 without safetensors, E230 for settings that cannot be read, E231 where they name code, E245
        where the tokenizer or the settings of the encoder would be fetched from elsewhere.
    """
    try:
        settings = read_object(folder / GLINER_FILE)
    except UnreadableFile as error:
        raise BionerError(Errors.E230.format(path=folder, why=error)) from None
    if not (folder / "model.safetensors").is_file():
        raise BionerError(Errors.E203.format(name=folder.name, path=folder))
    if not (folder / "tokenizer_config.json").is_file() or not isinstance(settings.get(_ENCODERS[0]), dict):
        raise BionerError(Errors.E245.format(path=folder, base=settings.get("model_name")))
    for key in _ENCODERS:
        if isinstance(settings.get(key), dict):
            refuse_code(settings[key], folder)
    return settings


def cut_parts(text: str, lang: str, *, most: int) -> List[Part]:
    """Cut a text into parts of whole sentences; a longer sentence is cut into parts that share a quarter.

    text (str): The text.
    lang (str): Its language.
    most (int): Most pre-tokens of a part.
    RETURNS (List[Part]): Start and end of each part, in characters.
    """
    parts: List[Part] = []
    filled = most
    for start, end in find_sentences(text, lang):
        units = find_units(text[start:end])
        if filled + len(units) <= most:
            parts[-1] = (parts[-1][0], end)
            filled += len(units)
            continue
        step = max(1, most - int(_OVERLAP * most))
        for first in range(0, max(1, len(units) - most + step), step):
            held = units[first:first + most]
            if held:
                parts.append((start + held[0][0], start + held[-1][1]))
        filled = len(units)
    return parts
