"""A corpus made ready for the workflow: sentences, a gold sample, raw text, and no text of one split in another."""

from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Sequence, Set, Tuple

from ..annotation import Annotation
from ..errors import BionerError, Errors
from ..formats import is_plain_text, read_annotations
from ..formats.jsonl import find_jsonl, read_jsonl
from ..formats.parsing.problems import Problems
from ..tokens import find_units
from .leakage import TELLING_UNITS, drop_repeated, list_raw_cuts, normalise
from .readiness import look_at_mentions, refuse_repeated_ids
from .sampling import check_split, draw_sample
from .sentences import split_sentences

SPLITS = ("train", "dev", "test")
NO_RAW = "none"
AUTO_RAW = "auto"
_NO_FILE = "none"
_UNLABELLED = "pubmed_unlabeled"
_LONGEST_RAW = 150
# Of the documents of train, how many take the place of dev where the dev texts are raw text.
_TUNING_SHARE = 0.1


@dataclass(frozen=True)
class Limits:
    """How many sentences are taken, 0 for all."""

    gold: int = 0
    raw: int = 0
    dev: int = 0
    test: int = 0


@dataclass
class PreparedCorpus:
    """The sentences of each part, and what was noticed.

    parts (Dict[str, List[Annotation]]): train, dev, test and raw.
    notes (List[str]): What was left out and why, a line each.
    sources (Dict[str, str]): File that each part comes from.
    """

    parts: Dict[str, List[Annotation]] = field(default_factory=dict)
    notes: List[str] = field(default_factory=list)
    sources: Dict[str, str] = field(default_factory=dict)

    def card(self) -> Dict[str, Any]:
        """Return counts, sources and hashes, for the report and the model card."""
        return {"notes": self.notes, "parts": {name: self._part_card(name) for name in self.parts}}

    def _part_card(self, name: str) -> Dict[str, Any]:
        sentences = self.parts[name]
        labels: Dict[str, int] = {}
        digest = sha256()
        for sentence in sentences:
            digest.update(f"{sentence.id}\t{sentence.text}\n".encode("utf8", "surrogatepass"))
            for mention in sentence.mentions:
                labels[mention.label] = labels.get(mention.label, 0) + 1
        return {"source": self.sources.get(name, ""), "sentences": len(sentences),
                "documents": len({sentence.meta.get("document", sentence.id) for sentence in sentences}),
                "mentions": sum(labels.values()), "labels": dict(sorted(labels.items())),
                "sha256": digest.hexdigest()}


def prepare_corpus(data: Path, corpus: str, *, labels: Mapping[str, str], lang: str, raw: str, limits: Limits,
                   seed: int, drop_leaks: bool = False, label_dev_text: bool = False,
                   apart_from: Iterable[Path] = (), strict: bool = False, partial: bool = False) -> PreparedCorpus:
    """Read the splits of a corpus and its raw text.

    data (Path): Folder of the corpora.
    corpus (str): Folder below it with train, dev and test as `.jsonl` or `.jsonl.gz`.
    labels (Mapping[str, str]): The schema; a label that it lacks is an error.
    lang (str): Language of the texts, where they do not say it.
    raw (str): "auto" (the corpus's own raw.jsonl, raw.txt and folder raw of .txt files, else unlabelled abstracts
        beside it, and "train"), "train" (what the gold sample leaves of train, labels dropped), another folder or .txt
        file, or "none".
    limits (Limits): How many sentences are taken.
    seed (int): Seed of the samples.
    drop_leaks (bool): Whether train records that stand in dev or test too, and dev records that stand in test, are
        left out; else they are an error.
    label_dev_text (bool): Whether the dev texts, labels dropped, are the raw text; dev is then a tenth of
        train, which is neither gold nor raw.
    apart_from (Iterable[Path]): Records of other corpora, dev and test, that train and raw text share no sentence with.
    strict (bool): Whether what would only be noted about keys, spans and labels is an error.
    partial (bool): Whether train, dev and test may be missing; such a split is empty.
    RETURNS (PreparedCorpus): The sentences. A sentence of train inside another document of dev or test, or of dev
        inside one of test, is left out and noted.
    RAISES BionerError: E001, E008, E009, E014 and E018 for missing, empty, mislabelled or leaking splits, E049 for an
        id that comes twice, E729 for a split of which nothing is left.
    """
    prepared = PreparedCorpus()
    problems = Problems(strict=strict)
    records: Dict[str, List[Annotation]] = {}
    for split in SPLITS:
        path = find_jsonl(data / corpus / f"{split}.jsonl")
        prepared.sources[split] = path.name
        if partial and not path.is_file():
            records[split], prepared.sources[split] = [], _NO_FILE
            continue
        records[split] = [_check(record, path, split, labels, lang)
                          for record in read_jsonl(path, problems=problems)]
        if not records[split]:
            raise BionerError(Errors.E008.format(path=path))
    refuse_repeated_ids(records)
    given = {split: len(records[split]) for split in ("train", "dev")}
    records["dev"] = _without_leaks(records, "dev", ("test",), drop_leaks, prepared.notes)
    records["train"] = _without_leaks(records, "train", ("dev", "test"), drop_leaks, prepared.notes)
    dev_texts = records["dev"]
    if label_dev_text:
        records["train"], records["dev"] = split_off(records["train"], seed)
        prepared.notes.append(f"dev is {len(records['dev'])} documents of train; the {len(dev_texts)} of dev are raw")
    test = _cut(records["test"])
    dev = _leave_out(_cut(records["dev"]), test, "dev", prepared.notes)
    held_out = [*dev, *test]
    held_out += [sentence for path in apart_from for sentence in _cut(read_jsonl(path, raw=True), lang)]
    train = _leave_out(_cut(records["train"]), held_out, "train", prepared.notes)
    for split, left, others in (("train", train, "dev, test or what it has to be apart from"), ("dev", dev, "test")):
        if given[split] and not left:
            raise BionerError(Errors.E729.format(count=given[split], source=split, held_out=others,
                                                 path=data / corpus / f"{split}.jsonl"))
    gold = _sample(train, limits.gold, seed)
    prepared.parts = {
        "train": gold,
        "dev": _sample(dev, limits.dev, seed),
        "test": _sample(test, limits.test, seed),
    }
    # Of a part of dev that is taken from train, the mentions were looked at there.
    found = look_at_mentions({split: records[split] for split in SPLITS}, gold, labels if gold else (), strict=strict)
    prepared.notes += [f"{count} times: {meaning}; first {place}"
                       for _, count, meaning, place in [*problems.table(), *found]]
    chosen = {sentence.id for sentence in gold}
    rest = [sentence for sentence in train if sentence.id not in chosen]
    texts = _cut(dev_texts) if label_dev_text else _find_texts(data, corpus, raw, lang, rest, prepared)
    prepared.sources["raw"] = "dev, labels dropped" if label_dev_text else prepared.sources["raw"]
    prepared.parts["raw"] = _gather_raw(texts, lang, [*gold, *held_out], limits.raw, seed, prepared)
    return prepared


def split_off(records: List[Annotation], seed: int) -> Tuple[List[Annotation], List[Annotation]]:
    """Take a tenth of the documents out of train, on which choices are made when the dev texts are used otherwise.

    records (List[Annotation]): The documents of train.
    seed (int): Seed of the draw, which no limit of gold changes.
    RETURNS (Tuple[List[Annotation], List[Annotation]]): What is left, and what was taken, now of the split dev.
    """
    taken = draw_sample(records, max(1, round(_TUNING_SHARE * len(records))), seed=seed)
    ids = {record.id for record in taken}
    return [record for record in records if record.id not in ids], [record.with_meta(split="dev") for record in taken]


def _check(record: Annotation, path: Path, split: str, labels: Mapping[str, str], lang: str) -> Annotation:
    check_split(record, split)
    for mention in record.mentions:
        if mention.label not in labels:
            raise BionerError(Errors.E014.format(path=path, id=record.id, label=mention.label, schema="the schema",
                                                 known=", ".join(labels)))
    return replace(record, meta={"origin": "gold", "lang": lang, **record.meta, "split": split})


def _without_leaks(records: Mapping[str, List[Annotation]], split: str, others: Sequence[str], drop: bool,
                   notes: List[str]) -> List[Annotation]:
    """Return the records of a split that are not, as a whole, in one of the others."""
    held_out = {normalise(record.text): (other, record.id) for other in others for record in records[other]}
    kept = []
    for record in records[split]:
        leak = held_out.get(normalise(record.text)) if len(find_units(record.text)) >= TELLING_UNITS else None
        if leak is None:
            kept.append(record)
        elif not drop:
            raise BionerError(Errors.E018.format(part=split.capitalize(), id=record.id, split=leak[0], other=leak[1]))
    if len(kept) < len(records[split]):
        notes.append(f"{len(records[split]) - len(kept)} records of {split} left out: "
                     f"they stand in {' or '.join(others)} too")
    return kept


def _cut(records: Iterable[Annotation], lang: str = "") -> List[Annotation]:
    """Return the sentences of records; those that do not say their language are cut as texts of this one."""
    if lang:
        records = (replace(record, meta={**record.meta, "lang": record.meta.get("lang") or lang}) for record in records)
    return [sentence for record in records for sentence in split_sentences(record)]


def _leave_out(sentences: Iterable[Annotation], known: Iterable[Annotation], name: str,
               notes: List[str]) -> List[Annotation]:
    """Return the sentences whose text is not known; headings, which tell nothing, stay."""
    texts = {text for sentence in known for text in (normalise(sentence.text), *list_raw_cuts(sentence))}
    sentences = list(sentences)
    kept = [sentence for sentence in sentences if len(find_units(sentence.text)) < TELLING_UNITS
            or normalise(sentence.text) not in texts]
    if len(kept) < len(sentences):
        notes.append(f"{len(sentences) - len(kept)} sentences of {name} left out: they stand in another part too")
    return kept


def _sample(sentences: List[Annotation], limit: int, seed: int) -> List[Annotation]:
    return draw_sample(sentences, limit, seed=seed) if limit else sentences


def _find_texts(data: Path, corpus: str, raw: str, lang: str, rest: List[Annotation],
                prepared: PreparedCorpus) -> List[Annotation]:
    """Return the sentences that raw text is drawn from; where they are from is noted."""
    if raw == NO_RAW:
        prepared.sources["raw"] = NO_RAW
        return []
    paths = find_raw(data, corpus, raw, lang)
    if raw not in (AUTO_RAW, "train"):
        rest = []
    sources = [f"{path.parent.name}/{path.name}" for path in paths]
    if rest or not paths:
        sources.append("the rest of train, labels dropped")
    prepared.sources["raw"] = " and ".join(sources)
    return [*_cut(_tell_apart(record for path in paths for record in read_annotations(path, raw=True)), lang), *rest]


def _tell_apart(records: Iterable[Annotation]) -> Iterator[Annotation]:
    """Number ids that came before: raw.txt may have been the source of raw.jsonl, and have grown."""
    seen: Set[str] = set()
    for record in records:
        number, name = 1, record.id
        while name in seen:
            number, name = number + 1, f"{record.id}-{number + 1}"
        seen.add(name)
        yield record if name == record.id else replace(record, id=name)


def _gather_raw(sentences: Iterable[Annotation], lang: str, known: List[Annotation], limit: int, seed: int,
                prepared: PreparedCorpus) -> List[Annotation]:
    # Every text is raw text here, whatever split it had in the corpus that it comes from.
    unlabelled = (replace(sentence, mentions=(), meta={**_raw_meta(sentence, lang), "origin": "raw", "split": "train"})
                  for sentence in sentences if TELLING_UNITS <= len(find_units(sentence.text)) <= _LONGEST_RAW)
    kept = _leave_out(drop_repeated(unlabelled), known, "the raw text", prepared.notes)
    if not kept and prepared.sources["raw"] != NO_RAW:
        prepared.notes.append(f"no raw text: {prepared.sources['raw']} gives no sentence, so none will be annotated; "
                              "put sentences without annotation into raw.jsonl or raw.txt of the corpus")
    return _sample(kept, limit, seed)


def _raw_meta(sentence: Annotation, lang: str) -> Dict[str, Any]:
    meta = {"lang": lang, **sentence.meta}
    meta.pop("subtypes", None)
    return meta


def find_raw(data: Path, corpus: str, raw: str, lang: str) -> List[Path]:
    """Find raw text.

    data (Path): Folder of the corpora.
    corpus (str): The corpus.
    raw (str): As `prepare_corpus` takes it.
    lang (str): Language of the texts.
    RETURNS (List[Path]): The files and folders of .txt files; none where there is only the rest of train.
    """
    if raw in ("train", NO_RAW):
        return []
    if raw != AUTO_RAW:
        named = next((path for path in (data / raw, Path(raw)) if path.exists()), data / raw)
        if named.exists() and is_plain_text(named):
            return [named]
        return _raw_forms(named) or [find_jsonl(named / "train.jsonl")]
    beside = find_jsonl(data / _UNLABELLED / "train.jsonl")
    return _raw_forms(data / corpus) or ([beside] if lang == "en" and beside.exists() else [])


def _raw_forms(folder: Path) -> List[Path]:
    """Return all that a folder holds as raw text: raw.jsonl, raw.txt, and a folder raw with .txt files."""
    records = find_jsonl(folder / "raw.jsonl")
    texts = (folder / "raw.txt", folder / "raw.txt.gz", folder / "raw")
    return [*([records] if records.exists() else []),
            *(path for path in texts if path.exists() and is_plain_text(path))]
