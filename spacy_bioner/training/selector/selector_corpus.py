"""The corpus reader of a selector: Docs with candidates, right and wrong ones, made anew every epoch."""

import logging
import random
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Sequence, Tuple

from pydantic import ValidationError
from spacy.language import Language
from spacy.training import Example

from ...annotation import Annotation
from ...corpus.leakage import KnownTexts
from ...corpus.sampling import check_split
from ...errors import BionerError, Errors, first_fault
from ...formats import read_annotations
from ...formats.docbin import annotation_to_doc, set_mentions
from ...formats.jsonl import read_jsonl
from .negatives import Candidate, NegativeSettings, count_candidates, make_candidates, pair_predictions

logger = logging.getLogger(__name__)

_ON_LEAK = ("error", "drop")
# A text with its gold mentions, and candidates in it.
Made = Tuple[Annotation, List[Candidate]]


class SelectorCorpus:
    """Gives texts with their gold mentions on one side and candidates on the other.

    path (Path): Gold records.
    labels (List[str]): All labels; empty for those of the records.
    negatives (NegativeSettings): What wrong candidates are made.
    predicted (Optional[Path]): What an annotator found in the same texts, without having been trained on them.
    only_predicted (bool): Whether its mentions are the only candidates, as in use; for dev parts.
    split (str): The split that gold records must be of, where they say one; empty for any.
    seed (int): Seed of order and choice.
    shuffle (bool): Whether the order and the negatives change from epoch to epoch; off for dev parts.
    candidates (int): How many candidates are chosen once, as many right as wrong ones; 0 takes all and makes the wrong
        ones anew.
    held_out (Sequence[Path]): Records of dev and test parts, whose sentences may not be trained on.
    on_leak (str): A record with a held-out sentence is an error ("error") or left out and counted ("drop").
    """

    def __init__(self, path: Path, *, labels: Iterable[str] = (), negatives: NegativeSettings,
                 predicted: Optional[Path] = None, only_predicted: bool = False, split: str = "train", seed: int = 0,
                 shuffle: bool = True, candidates: int = 0, candidates_key: str = "candidates", spans_key: str = "sc",
                 held_out: Sequence[Path] = (), on_leak: str = "error"):
        if on_leak not in _ON_LEAK:
            raise BionerError(Errors.E510.format(key="on_leak", source="gold", why=f"wanted {' or '.join(_ON_LEAK)}"))
        self.held_out, self.on_leak = list(held_out), on_leak
        self.path, self.predicted_path, self.only_predicted = Path(path), predicted, only_predicted
        self.negatives, self.split, self.seed, self.shuffle = negatives, split, seed, shuffle
        self.candidates = candidates
        self.candidates_key, self.spans_key = candidates_key, spans_key
        self.labels = list(labels)
        self.epoch = 0
        self._pairs: List[Any] = []
        self._chosen: List[Made] = []

    def __call__(self, nlp: Language) -> Iterator[Example]:
        """Give one epoch; each call is the next one."""
        self._load()
        randomness = random.Random(f"{self.seed}/{self.epoch if self.shuffle else 0}")
        if self.candidates and not self._chosen:
            self._chosen = self._choose(random.Random(f"{self.seed}"))
        pairs = list(self._chosen or self._pairs)
        if self.shuffle:
            randomness.shuffle(pairs)
        made = pairs if self._chosen else [(annotation, self._candidates(annotation, found, randomness))
                                           for annotation, found in pairs]
        if self.epoch == 0 and not self.only_predicted:
            count_candidates(candidate for _, candidates in made for candidate in candidates)
        self.epoch += 1
        for annotation, candidates in made:
            yield self._example(nlp, annotation, candidates)

    def _load(self) -> None:
        if self._pairs:
            return
        gold = list(read_jsonl(self.path))
        for annotation in gold:
            check_split(annotation, self.split)
        gold = list(self._without_leaks(gold))
        if not gold:
            raise BionerError(Errors.E008.format(path=self.path))
        self.labels = self.labels or sorted({mention.label for record in gold for mention in record.mentions})
        predicted = {record.id: record for record in read_jsonl(self.predicted_path)} if self.predicted_path else {}
        if self.predicted_path and not any(record.id in predicted for record in gold):
            raise BionerError(Errors.E543.format(path=self.predicted_path, other=self.path))
        self._pairs = list(pair_predictions(gold, predicted))

    def _without_leaks(self, gold: List[Annotation]) -> Iterator[Annotation]:
        held_out, dropped, first_leak = KnownTexts(self.held_out, read_annotations), 0, None
        for annotation in gold:
            leak = held_out.find(annotation)
            if leak and self.on_leak == "error":
                raise BionerError(Errors.E508.format(source="gold", path=self.path, id=annotation.id, held_out=leak))
            if leak:
                dropped += 1
                first_leak = first_leak or leak
            else:
                yield annotation
        if dropped and dropped == len(gold):
            raise BionerError(Errors.E729.format(count=dropped, source="gold", path=self.path, held_out=first_leak))
        if dropped:
            logger.info("%d gold records with held-out sentences left out", dropped)

    def _choose(self, randomness: random.Random) -> List[Made]:
        """Choose candidates among those of all records; a record of which none is chosen is left out."""
        made = [(annotation, self._candidates(annotation, found, randomness)) for annotation, found in self._pairs]
        each = [(place, candidate) for place, (_, candidates) in enumerate(made) for candidate in candidates]
        count_candidates(candidate for _, candidate in each)
        sides = [[one for one in each if one[1].valid is valid] for valid in (True, False)]
        half = min(max(1, self.candidates // 2), *map(len, sides))
        chosen: Dict[int, List[Candidate]] = {}
        for place, candidate in sorted((one for side in sides for one in randomness.sample(side, half)),
                                       key=lambda one: one[0]):
            chosen.setdefault(place, []).append(candidate)
        return [(made[place][0], candidates) for place, candidates in chosen.items()]

    def _candidates(self, annotation: Annotation, found: Any, randomness: random.Random) -> List[Candidate]:
        if self.only_predicted:
            gold = {mention.key for mention in annotation.mentions}
            return [Candidate(mention, mention.key in gold, "annotator") for mention in found]
        return make_candidates(annotation, self.labels, self.negatives, randomness, predicted=found)

    def _example(self, nlp: Language, annotation: Annotation, candidates: List[Candidate]) -> Example:
        reference, _ = annotation_to_doc(annotation, nlp.vocab, self.spans_key)
        doc = nlp.make_doc(annotation.text)
        lost = {mention.key for mention in set_mentions(
            doc, [candidate.mention for candidate in candidates], spans_key=self.candidates_key)}
        groups = [candidate.group for candidate in candidates if candidate.mention.key not in lost]
        doc.spans[self.candidates_key].attrs["groups"] = groups
        return Example(doc, reference)


def make_selector_corpus(
    path: str, negatives: Optional[Dict[str, Any]] = None, labels: Optional[List[str]] = None,
    predicted: Optional[str] = None, only_predicted: bool = False, split: str = "train", seed: int = 0,
    shuffle: bool = True, candidates: int = 0, candidates_key: str = "candidates", spans_key: str = "sc",
    held_out: Optional[List[str]] = None, on_leak: str = "error",
) -> Callable[[Language], Iterable[Example]]:
    """Make the reader from a config; see `SelectorCorpus` and `NegativeSettings`."""
    try:
        settings = NegativeSettings.model_validate(negatives or {})
    except ValidationError as error:
        key, why = first_fault(error)
        raise BionerError(Errors.E510.format(key=key, source="negatives", why=why)) from None
    return SelectorCorpus(Path(path), labels=labels or (), negatives=settings,
                          predicted=Path(predicted) if predicted else None, only_predicted=only_predicted, split=split,
                          seed=seed, shuffle=shuffle, candidates=candidates, candidates_key=candidates_key,
                          spans_key=spans_key, held_out=[Path(path) for path in held_out or ()], on_leak=on_leak)
