"""The corpus reader of training: several sources, each with a weight, mixed anew every epoch, stage by stage.

`spacy train` with `max_epochs = -1` calls a reader once an epoch and shuffles nothing, so epochs, stages and order are
decided here. A source is read from records (`.jsonl`, `.jsonl.gz`) or `.spacy` files.
"""

import logging
import random
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Literal, Mapping, Optional, Sequence, Tuple

from pydantic import ValidationError
from spacy.language import Language
from spacy.training import Example

from ..annotation import Annotation, Mention
from ..corpus.leakage import KnownTexts
from ..corpus.sampling import check_split
from ..errors import BionerError, Errors, first_fault
from ..formats import read_annotations
from ..formats.docbin import annotation_to_doc
from ..ml.spans.span_targets import ANNOTATED, DOUBTFUL_KEY, WEIGHTS
from ..settings import Settings, setting
from .common_words import find_common_words, find_doubtful_words

logger = logging.getLogger(__name__)

# Its name in a config, see the entry points of the package.
READER = "spacy-bioner.MixedCorpus.v1"

_MADE = ("synthetic", "augmented")
# What `generate sentences` writes as the source of its records.
_GENERATED = "generated"


class Source(Settings):
    """One source of training examples."""

    path: Path = setting(..., "Records, a .spacy file, or any format that its name tells.")
    weight: float = setting(
        1.0, "How often a record comes in an epoch: 1 once, 0.5 every second one (others each time), 2 twice.", gt=0)
    limit: int = setting(0, "Most records that are used, the first ones; 0 for all.", ge=0)
    min_score: float = setting(
        0.0, "Mentions with a lower score are left out; those without a score are kept.", ge=0, le=1)
    mask_doubtful: bool = setting(
        False, "Whether the places of mentions that min_score leaves out are ignored by the loss, instead of counting "
        "as no mention.")
    doubtful: Optional[Path] = setting(
        None, "Records of the same ids with mentions that may be right or not, as a selector dropped them: the loss "
        "ignores their places.")
    mask_rare: float = setting(
        0.0, "In generated records, words outside of mentions that at most this share of the records have are ignored "
        "by the loss: they may be names too. 0 ignores none.", ge=0, le=1)
    use_confidence: bool = setting(False, "Whether the score of a mention is its weight in the loss.")
    split: str = setting("train", "The split that records must be of, where they say one; empty for any.")
    annotated: List[str] = setting(
        [], "The labels that its records are annotated with: the loss of all others is ignored. Empty: every label.")
    on_leak: Literal["error", "drop"] = setting(
        "error", "A record with a held-out sentence is an error, or is dropped and counted.")
    allow_empty: bool = setting(
        False, "Whether synthetic records may have no mention at all; else that is an error, since a selector or a "
        "threshold has dropped all of them.")


class StageSettings(Settings):
    """A stage of one or more epochs."""

    sources: List[str] = setting(..., "The sources that are mixed.", min_length=1)
    epochs: int = setting(1, "How many epochs it takes; the last stage never ends.", ge=1)


@dataclass(frozen=True)
class Prepared:
    """A record ready for training.

    annotation (Annotation): The text with the mentions to train on.
    doubtful (Tuple[Mention, ...]): Regions without a loss.
    annotated (Tuple[str, ...]): The labels that have a loss; empty for all.
    """

    annotation: Annotation
    doubtful: Tuple[Mention, ...] = ()
    annotated: Tuple[str, ...] = ()


def read_source(name: str, source: Source, held_out: KnownTexts) -> Iterator[Prepared]:
    """Read, filter and check a source.

    name (str): Name of the source, for messages.
    source (Source): Where it is and what is taken of it.
    held_out (KnownTexts): Texts that may not be in it.
    YIELDS (Prepared): Its records.
    RAISES BionerError: E009 for another split, E506 where there is no record, E507 where no mention is left,
        E508 for a held-out sentence, E729 where all records are dropped for one, E543 and E523 for doubtful records
        of other ids or texts.
    """
    count = mentions = given = dropped = paired = 0
    made, first_leak = False, None
    doubted = {} if source.doubtful is None else {record.id: record for record in read_annotations(source.doubtful)}
    common = find_common_words(read_annotations(source.path), source.mask_rare) if source.mask_rare else frozenset()
    for annotation in read_annotations(source.path):
        if source.limit and count == source.limit:
            break
        check_split(annotation, source.split)
        doubt = doubted.get(annotation.id)
        if doubt is not None and doubt.text != annotation.text:
            raise BionerError(Errors.E523.format(id=annotation.id, path=source.doubtful, other=source.path))
        paired += doubt is not None
        leak = held_out.find(annotation)
        if leak and source.on_leak == "error":
            raise BionerError(Errors.E508.format(source=name, path=source.path, id=annotation.id, held_out=leak))
        if leak:
            dropped += 1
            first_leak = first_leak or leak
            continue
        doubted_here = list(doubt.mentions) if doubt is not None else []
        if source.mask_rare and _holds_unmarked_names(annotation):
            doubted_here += find_doubtful_words(annotation, common)
        prepared = _filter(annotation, source, doubted_here)
        count += 1
        made |= annotation.meta.get("origin") in _MADE
        mentions += len(prepared.annotation.mentions)
        given += len(annotation.mentions)
        yield prepared
    if dropped and not count:
        raise BionerError(Errors.E729.format(count=dropped, source=name, path=source.path, held_out=first_leak))
    if not count:
        raise BionerError(Errors.E506.format(source=name, path=source.path))
    if doubted and not paired and not source.limit:
        raise BionerError(Errors.E543.format(path=source.doubtful, other=source.path))
    if (given or made) and not mentions and not source.allow_empty:
        raise BionerError(Errors.E507.format(source=name, path=source.path, min_score=source.min_score))
    if dropped:
        logger.info("Source %s: %d records with held-out sentences left out", name, dropped)


def _holds_unmarked_names(annotation: Annotation) -> bool:
    """Return whether a sentence was generated and no annotator has looked for further names in it."""
    return annotation.meta.get("source") == _GENERATED and "relabelled" not in annotation.meta


def _filter(annotation: Annotation, source: Source, doubted: Sequence[Mention]) -> Prepared:
    sure = [mention for mention in annotation.mentions if mention.score is None or mention.score >= source.min_score]
    doubtful = [mention for mention in annotation.mentions if mention not in sure] if source.mask_doubtful else []
    if not source.use_confidence:
        sure = [replace(mention, score=None) for mention in sure]
    return Prepared(annotation.with_mentions(sure), (*doubtful, *doubted), tuple(source.annotated))


class MixedCorpus:
    """Gives the examples of one epoch after the other.

    sources (Mapping[str, Source]): The sources by name.
    stages (Sequence[StageSettings]): The stages in order. Empty: all sources all the time.
    held_out (Sequence[Path]): Records of dev and test parts, whose sentences may not be trained on.
    seed (int): Seed of order and choice.
    shuffle (bool): Whether records are mixed; off for dev parts.
    buffer (int): 0 holds all records in memory; n streams them and mixes within n records.
    spans_key (str): Key of the span group.
    """

    def __init__(self, sources: Mapping[str, Source], *, stages: Sequence[StageSettings] = (),
                 held_out: Sequence[Path] = (), seed: int = 0, shuffle: bool = True, buffer: int = 0,
                 spans_key: str = "sc"):
        self.sources = dict(sources)
        self.stages = list(stages)
        self.held_out_paths = list(held_out)
        self.seed, self.shuffle, self.buffer, self.spans_key = seed, shuffle, buffer, spans_key
        self.epoch = 0
        self._held_out: Optional[KnownTexts] = None
        self._records: Dict[str, List[Prepared]] = {}
        self._counts: Dict[str, int] = {}
        for number, stage in enumerate(self.stages, start=1):
            for name in stage.sources:
                if name not in self.sources:
                    known = ", ".join(self.sources)
                    raise BionerError(Errors.E509.format(stage=number, source=name, known=known))

    def __call__(self, nlp: Language) -> Iterator[Example]:
        """Give one epoch; each call is the next one.

        nlp (Language): The pipeline, whose tokenizer makes the predicted Docs.
        YIELDS (Example): The examples of the epoch.
        RAISES BionerError: E555 for stages in a training that reads one epoch only and repeats it.
        """
        self._check_epochs(nlp)
        lost = total = 0
        for prepared in self.next_epoch():
            example, missed = make_example(prepared, nlp, self.spans_key)
            lost += missed
            total += len(prepared.annotation.mentions)
            yield example
        if lost and self.epoch <= 1:
            logger.warning("%d of %d mentions begin or end inside a token and cannot be learnt", lost, total)

    def next_epoch(self) -> Iterator[Prepared]:
        """Return the records of one epoch, in their order; each call is the next one."""
        randomness = random.Random(f"{self.seed}/{self.epoch if self.shuffle else 0}")
        names = self._names()
        self.epoch += 1
        return self._mixed(names, randomness)

    def _check_epochs(self, nlp: Language) -> None:
        readers = [corpus.get("@readers") for corpus in nlp.config.get("corpora", {}).values()]
        epochs = nlp.config.get("training", {}).get("max_epochs")
        # Only where `spacy train` asks: a pipeline of other corpora says nothing of how this one is read.
        if len(self.stages) > 1 and READER in readers and epochs != -1:
            raise BionerError(Errors.E555.format(found=epochs))

    def check(self) -> None:
        """Read all sources once, for the errors of `read_source`."""
        for name, source in self.sources.items():
            for _ in read_source(name, source, self._guard()):
                pass

    def _names(self) -> List[str]:
        """Return the sources of the current epoch's stage."""
        done = 0
        for stage in self.stages:
            done += stage.epochs
            if self.epoch < done:
                return list(stage.sources)
        return list(self.stages[-1].sources) if self.stages else list(self.sources)

    def _mixed(self, names: Sequence[str], randomness: random.Random) -> Iterator[Prepared]:
        if self.buffer and not self.shuffle:
            return (record for name in names for record in self._repeated(name, randomness))
        if self.buffer:
            return _shuffle_stream(self._stream(names, randomness), self.buffer, randomness)
        records = [record for name in names for record in _repeat(self._load(name), self.sources[name].weight,
                                                                  randomness)]
        if self.shuffle:
            randomness.shuffle(records)
        return iter(records)

    def _load(self, name: str) -> List[Prepared]:
        if name not in self._records:
            self._records[name] = list(read_source(name, self.sources[name], self._guard()))
        return self._records[name]

    def _guard(self) -> KnownTexts:
        if self._held_out is None:
            self._held_out = KnownTexts(self.held_out_paths, read_annotations)
        return self._held_out

    def _stream(self, names: Sequence[str], randomness: random.Random) -> Iterator[Prepared]:
        """Take from the sources in turns, chosen at random by what each has left, so that all end together."""
        running = {name: self._repeated(name, randomness) for name in names}
        left = {name: self.sources[name].weight * self._count(name) for name in names}
        while running:
            name = randomness.choices(list(running), [max(left[name], 1.0) for name in running])[0]
            record = next(running[name], None)
            left[name] -= 1
            if record is None:
                del running[name]
            else:
                yield record

    def _repeated(self, name: str, randomness: random.Random) -> Iterator[Prepared]:
        source = self.sources[name]
        return _repeat(read_source(name, source, self._guard()), source.weight, randomness)

    def _count(self, name: str) -> int:
        """Return records of a source, about: those that are left out later are counted with the others."""
        if name not in self._counts:
            source = self.sources[name]
            records = read_annotations(source.path)
            self._counts[name] = sum(1 for _ in (islice(records, source.limit) if source.limit else records))
        return self._counts[name]


def _repeat(records: Iterable[Prepared], weight: float, randomness: random.Random) -> Iterator[Prepared]:
    """Give each record as often as the weight says, its fraction by chance."""
    whole, fraction = divmod(weight, 1)
    for record in records:
        for _ in range(int(whole) + (fraction > 0 and randomness.random() < fraction)):
            yield record


def _shuffle_stream(records: Iterable[Prepared], buffer: int, randomness: random.Random) -> Iterator[Prepared]:
    held: List[Prepared] = []
    for record in records:
        if len(held) < buffer:
            held.append(record)
            continue
        place = randomness.randrange(buffer)
        held[place], record = record, held[place]
        yield record
    randomness.shuffle(held)
    yield from held


def make_example(prepared: Prepared, nlp: Language, spans_key: str) -> Tuple[Example, int]:
    """Make the example of a record.

    prepared (Prepared): The record.
    nlp (Language): The pipeline.
    spans_key (str): Key of the span group.
    RETURNS (Tuple[Example, int]): The example, and how many mentions do not begin and end at tokens of its gold Doc.
    """
    reference, lost = annotation_to_doc(prepared.annotation, nlp.vocab, spans_key)
    # `_filter` leaves a score where it is to count, and nowhere else.
    attrs = reference.spans[spans_key].attrs
    if "scores" in attrs:
        attrs[WEIGHTS] = attrs.pop("scores")
    if prepared.annotated:
        attrs[ANNOTATED] = list(prepared.annotated)
    if prepared.doubtful:
        reference.user_data[DOUBTFUL_KEY] = [(mention.start, mention.end) for mention in prepared.doubtful]
    return Example(nlp.make_doc(prepared.annotation.text), reference), len(lost)


def make_mixed_corpus(sources: Dict[str, Dict[str, Any]], stages: Optional[List[Dict[str, Any]]] = None,
                      held_out: Optional[List[str]] = None, seed: int = 0, shuffle: bool = True, buffer: int = 0,
                      spans_key: str = "sc") -> MixedCorpus:
    """Make the reader from a config; see `MixedCorpus` and `Source`.

    RAISES BionerError: E510 for a source with a wrong setting, E544 for a stage with one.
    """
    checked, planned = {}, []
    for name, settings in sources.items():
        try:
            checked[name] = Source.model_validate(settings)
        except ValidationError as error:
            key, why = first_fault(error)
            raise BionerError(Errors.E510.format(key=key, source=name, why=why)) from None
    for number, stage in enumerate(stages or (), start=1):
        try:
            planned.append(StageSettings.model_validate(stage))
        except ValidationError as error:
            key, why = first_fault(error)
            raise BionerError(Errors.E544.format(key=key, stage=number, why=why)) from None
    return MixedCorpus(checked, stages=planned, held_out=[Path(path) for path in held_out or ()], seed=seed,
                       shuffle=shuffle, buffer=buffer, spans_key=spans_key)
