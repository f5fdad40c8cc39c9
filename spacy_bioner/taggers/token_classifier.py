"""A Hugging Face token classifier as an annotator: pieces joined to pre-tokens, long texts read in windows."""

from itertools import islice
from pathlib import Path
from typing import Any, Iterable, Iterator, List, Sequence, Tuple

import numpy
import torch

from ..annotation import Annotation, Mention
from ..errors import BionerError, Errors
from ..formats.parsing.problems import Problems
from ..formats.parsing.tags import OUTSIDE, is_tag, read_tags
from ..llm.local.passes.parallel_passes import compute_side_by_side
from ..llm.local.pretrained import load_model, load_tokenizer
from ..ml.encoder.word_pieces import PACKED_GPU, PACKED_THREAD, Window, cut_windows, find_around, pack_rows
from ..tokens import find_units

_HEAD = "ForTokenClassification"
_TEXTS = 64
# Models without a limit of their own are read in windows of so many pieces.
_MOST_PIECES = 512
# Pieces that neighbouring windows share, as a part of a window.
_OVERLAP = 0.25
# Label of a model that has letters alone, as B, I and O.
_ONLY_LABEL = "ENTITY"
Span = Tuple[int, int]


class TokenClassifier:
    """A model that gives every word piece a tag.

    Of a pre-token the first piece counts, as in training. The probability of a label is that of all its tags; the score
    of a mention is that of its least probable pre-token.

    folder (Path): Folder of the model, in safetensors, with a fast tokenizer.
    name (str): How records call it.
    device (str): Where it runs.
    RAISES BionerError: E203, E230 and E231 where it cannot be loaded, E243 where it is no token classifier, E244 where
        its tokenizer gives no offsets.
    """

    def __init__(self, folder: Path, *, name: str, device: str = "cpu") -> None:
        self.name = name
        self._tokenizer: Any = load_tokenizer(folder)
        if not self._tokenizer.is_fast:
            raise BionerError(Errors.E244.format(name=name))
        self._model: Any = load_model(folder, dtype=torch.float32, head="token classification")
        self._model.to(device)
        config = self._model.config
        if not any(each.endswith(_HEAD) for each in config.architectures or ()):
            raise BionerError(Errors.E243.format(name=name, found=", ".join(config.architectures or ()) or "no head"))
        self._model.eval().requires_grad_(False)
        self._tags = _as_tags([str(config.id2label[place]) for place in range(config.num_labels)])
        self.labels: Sequence[str] = sorted({tag.partition("-")[2] for tag in self._tags if tag != OUTSIDE})
        self._around = find_around(self._tokenizer)
        # A document may hold "[SEP]": that is text, not the mark of the model.
        self._tokenizer.backend_tokenizer.encode_special_tokens = True
        known = (self._tokenizer.unk_token_id, self._tokenizer.pad_token_id, 0)
        self._unknown: int = next(id_ for id_ in known if id_ is not None)
        limits = [int(self._tokenizer.model_max_length), getattr(config, "max_position_embeddings", None) or 0]
        # Some models leave out the first positions, so a little room is kept.
        most = min([_MOST_PIECES, *(limit - 2 for limit in limits if limit > 2)])
        self._most = max(1, most - sum(map(len, self._around)))
        self._packed = PACKED_THREAD if device == "cpu" else PACKED_GPU

    def find(self, texts: Iterable[Annotation]) -> Iterator[Tuple[Annotation, Sequence[Mention]]]:
        """Yield each text with its mentions."""
        waiting = iter(texts)
        while group := list(islice(waiting, _TEXTS)):
            units = [find_units(text.text) for text in group]
            pieces = [self._cut(text.text, of_text) for text, of_text in zip(group, units)]
            probabilities = self._read(pieces)
            for text, of_text, rows in zip(group, units, probabilities):
                yield text, self._decode(of_text, rows)

    def _cut(self, text: str, units: Sequence[Span]) -> List[List[int]]:
        """Return for each pre-token the ids of the pieces that begin in it."""
        encoding = self._tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
        pieces: List[List[int]] = [[] for _ in units]
        place = 0
        for id_, (start, end) in zip(encoding["input_ids"], encoding["offset_mapping"]):
            # A piece may begin with the blank before its word.
            while start < end and text[start].isspace():
                start += 1
            while place < len(units) and units[place][1] <= start:
                place += 1
            if start < end and place < len(units) and units[place][0] < end:
                pieces[place].append(id_)
        # A pre-token without a piece, such as one that lies inside the piece of its neighbour, is read as unknown.
        return [of_unit or [self._unknown] for of_unit in pieces]

    def _read(self, pieces: Sequence[List[List[int]]]) -> List[numpy.ndarray]:
        """Return for each text the probabilities of the tags, of shape (pre-tokens, tags)."""
        windows = [window for doc, of_text in enumerate(pieces) if of_text
                   for window in cut_windows(doc, [min(len(one), self._most) for one in of_text],
                                             max_pieces=self._most, overlap=int(_OVERLAP * self._most))]
        found = [numpy.zeros((len(of_text), len(self._tags)), dtype="float32") for of_text in pieces]
        rows = [[id_ for unit in pieces[window.doc][window.start:window.end] for id_ in unit[:self._most]]
                for window in windows]
        packs = pack_rows(list(map(len, rows)), self._packed)

        def classify(pack: Sequence[int]) -> numpy.ndarray:
            return self._classify([rows[index] for index in pack])

        on_threads = self._model.device.type == "cpu"
        all_tags = compute_side_by_side(classify, packs) if on_threads else map(classify, packs)
        for pack, tags in zip(packs, all_tags):
            for index, of_row in zip(pack, tags):
                _take(found, windows[index], pieces[windows[index].doc], of_row, self._most)
        return found

    def _classify(self, rows: Sequence[List[int]]) -> numpy.ndarray:
        """Return the probabilities of the tags of all pieces, of shape (rows, pieces, tags)."""
        before, after = self._around
        width = max(map(len, rows)) + len(before) + len(after)
        ids = torch.full((len(rows), width), self._tokenizer.pad_token_id or 0)
        mask = torch.zeros_like(ids)
        for index, row in enumerate(rows):
            whole = [*before, *row, *after]
            ids[index, :len(whole)] = torch.tensor(whole)
            mask[index, :len(whole)] = 1
        device = self._model.device
        with torch.inference_mode():
            logits = self._model(input_ids=ids.to(device), attention_mask=mask.to(device)).logits
        return logits.float().softmax(-1)[:, len(before):].cpu().numpy()

    def _decode(self, units: Sequence[Span], rows: numpy.ndarray) -> List[Mention]:
        if not len(rows):
            return []
        tags = [self._tags[place] for place in rows.argmax(-1)]
        of_label = {label: numpy.asarray([tag.partition("-")[2] == label for tag in self._tags])
                    for label in self.labels}
        places = {start: index for index, (start, _) in enumerate(units)}
        mentions = []
        for stated in read_tags(tags, units, place="", problems=Problems()):
            first = places[stated.start]
            last = next(index for index in range(first, len(units)) if units[index][1] == stated.end)
            score = rows[first:last + 1, of_label[stated.label]].sum(-1).min()
            mentions.append(Mention(stated.start, stated.end, stated.label, score=min(float(score), 1.0)))
        return mentions


def _take(found: List[numpy.ndarray], window: Window, pieces: Sequence[List[int]], rows: numpy.ndarray,
          most: int) -> None:
    """Copy the tags of the pre-tokens that a window owns, each from its first piece."""
    reached = 0
    for unit in range(window.start, window.end):
        if window.own_start <= unit < window.own_end:
            found[window.doc][unit] = rows[reached]
        reached += len(pieces[unit][:most])


def _as_tags(labels: Sequence[str]) -> List[str]:
    """Return the labels of a model as tags; one without a letter is inside its mention, letters alone have one label
    together."""
    bare = [label for label in labels if label != OUTSIDE]
    if not {"B", "I"}.isdisjoint(bare) and all("-" not in label and is_tag(label, bare=True) for label in bare):
        return [label if label == OUTSIDE else f"{label}-{_ONLY_LABEL}" for label in labels]
    return [label if is_tag(label) else f"I-{label}" for label in labels]
