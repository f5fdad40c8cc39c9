"""The verb merge: what several annotators say of the same texts, made into one file of records."""

import logging
import re
from collections import Counter
from enum import Enum
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Optional, Tuple

import typer

from ..annotation import Annotation, index_records
from ..errors import BionerError, Errors, Warnings
from ..files import write_json
from ._shared.named_paths import parse_named_paths
from ._shared.outputs import name_beside, refuse_other_ending, refuse_own_input, refuse_same_output

logger = logging.getLogger(__name__)

GOLD, DICTIONARY = "gold", "dictionary"
# Fewer annotators do not tell by their agreement which of them is right.
_TELLING = 3


class By(str, Enum):
    """What decides between annotators."""

    rank = "rank"
    probability = "probability"


def merge_cli(
    source: Optional[List[str]] = typer.Argument(None, metavar="[NAME=FILE]...", help="Annotators with their records: "
                                                 "llm=a.jsonl bert=b.jsonl. Records are paired by id."),
    output: Path = typer.Argument(..., metavar="OUT", help="Records with the mentions that are kept."),
    gold: Optional[Path] = typer.Option(None, help="Gold records, split train; where one covers a text, it alone "
                                                   "counts."),
    dictionary: Optional[Path] = typer.Option(None, help="Seed list, as `generate seeds` writes or reads it; "
                                                         "its names are looked for in all texts."),
    dictionary_label: Optional[str] = typer.Option(None, help="Label of the names of a .txt or .obo list."),
    nested: bool = typer.Option(False, "--nested", help="A mention inside one of another annotator is no conflict; "
                                                           "within one annotator it never is."),
    by: By = typer.Option(By.rank, help="What decides. rank: gold over agreement over one annotator over a dictionary. "
                                        "probability: every span of some annotator is kept, its score the probability "
                                        "that it is correct."),
    report: Optional[Path] = typer.Option(None, help="Counts as JSON; by default beside OUT."),
) -> None:
    """Merge the annotations of several annotators.

    Gold counts more than agreement, agreement more than one annotator, and that more than a dictionary. Conflicts are
    counted. With --by probability, annotators are measured on --gold, whose texts they have too, or, where there
    are at least three, by their agreement.

    Example: spacy-bioner merge llm=annotated.jsonl merged.jsonl --gold gold.jsonl

    Writes the file OUT.
    """
    report = report or name_beside(output, "merge.json")
    refuse_same_output(output, report, "--report")
    sources = parse_sources(source or ())
    for path in (output, report):
        refuse_own_input(path, [*sources.values(), gold, dictionary])
    refuse_other_ending(output)
    if dictionary_label and dictionary is None:
        raise BionerError(Errors.E730.format(option="--dictionary-label", why="no --dictionary is given"))
    if by is By.probability:
        if nested:
            raise BionerError(Errors.E730.format(option="--nested", why="--by probability keeps all spans"))
        told = weigh_sources(sources, output, gold=gold, dictionary=dictionary, dictionary_label=dictionary_label)
        write_json(report, told)
        print_weighed(told, output)
        return
    counted = merge_sources(sources, output, gold=gold, dictionary=dictionary,
                            dictionary_label=dictionary_label, nested=nested)
    write_json(report, counted)
    for name, count in counted["sources"].items():
        typer.echo(f"{name:<28}{count['records']:>9} records{count['mentions']:>9} mentions")
    for name, count in counted["kept"].items():
        typer.echo(f"kept by {name:<20}{count:>9}")
    typer.echo(f"conflicts of place {counted['conflict']}, of label {counted['conflict_label']}; "
               f"{counted['records']} records written to {output}")


def parse_sources(arguments: Iterable[str]) -> Dict[str, Path]:
    """Read `NAME=FILE`.

    arguments (Iterable[str]): As given on the command line.
    RETURNS (Dict[str, Path]): Name to file.
    RAISES BionerError: E532 for another form, E533 for a name that comes twice or is kept for gold and dictionary.
    """
    return parse_named_paths(arguments, taken=(GOLD, DICTIONARY), unreadable=Errors.E532, repeated=Errors.E533)


def merge_sources(sources: Dict[str, Path], output: Path, *, gold: Optional[Path] = None,
                  dictionary: Optional[Path] = None, dictionary_label: Optional[str] = None,
                  nested: bool = False) -> Dict[str, Any]:
    """Merge files of records.

    sources (Dict[str, Path]): Annotator to its records.
    output (Path): Takes the merged records; `meta.sources` has the rank of each mention.
    gold (Optional[Path]): Gold records, split train.
    dictionary (Optional[Path]): A seed list whose names are looked for in all texts.
    dictionary_label (Optional[str]): Label of the names of a list without labels.
    nested (bool): Whether a mention inside one of another annotator is no conflict.
    RETURNS (Dict[str, Any]): records, sources (records and mentions of each), kept by rank, conflict, conflict_label.
    RAISES BionerError: E534 without any source, E009 for gold of another split, E008 for an empty file, E521 where
        texts differ, E552 where a source has an id twice.
    """
    from ..formats.jsonl import write_jsonl
    from ..merging.candidates import RANKS, merge_files

    if not sources and gold is None:
        raise BionerError(Errors.E534)
    read = {**({GOLD: list(_read_gold(gold))} if gold is not None else {}),
            **{name: list(_read(path)) for name, path in sources.items()}}
    if dictionary is not None:
        read[DICTIONARY] = list(_look_up(dictionary, dictionary_label, read))
    counts: Counter = Counter()
    written = write_jsonl(output, merge_files(read, counts=counts, dictionary=(DICTIONARY,), gold=(GOLD,),
                                              nested=nested))
    return {"records": written,
            "sources": {name: {"records": len(records), "mentions": sum(len(one.mentions) for one in records)}
                        for name, records in read.items()},
            "kept": {rank: counts[rank] for rank in RANKS},
            "conflict": counts["conflict"], "conflict_label": counts["conflict_label"]}


def weigh_sources(sources: Dict[str, Path], output: Path, *, gold: Optional[Path] = None,
                  dictionary: Optional[Path] = None, dictionary_label: Optional[str] = None) -> Dict[str, Any]:
    """Give each span of some annotator the probability that it is correct, see `merging.reliability`.

    sources (Dict[str, Path]): Annotator to its records.
    output (Path): Takes a record for each text, with all candidate spans; where gold covers it, with those of gold.
    gold (Optional[Path]): Gold records, split train, which the annotators have read too.
    dictionary (Optional[Path]): As in `merge_sources`; it is an annotator.
    dictionary_label (Optional[str]): As in `merge_sources`.
    RETURNS (Dict[str, Any]): records, estimated_on (gold or agreement), texts_with_gold, annotators (precision and
        recall by label, on gold with intervals, else as estimates), candidates, and of them expected_correct.
    RAISES BionerError: E534 without any source, E575 for a single one without gold, E567 where no annotator has read
        gold, E521 where texts differ, E552 where a source has an id twice, E009 for gold of another split, E008 for an
        empty file.
    """
    from ..formats.jsonl import write_jsonl
    from ..merging import reliability

    if not sources:
        raise BionerError(Errors.E534)
    read = {name: list(_read(path)) for name, path in sources.items()}
    if dictionary is not None:
        read[DICTIONARY] = list(_look_up(dictionary, dictionary_label, read))
    if gold is None and len(read) < _TELLING:
        if len(read) == 1:
            raise BionerError(Errors.E575.format(name=next(iter(read))))
        logger.warning(Warnings.W502)
    found = {name: index_records(records, source=name) for name, records in read.items()}
    known = index_records(_read_gold(gold), source=GOLD) if gold is not None else {}
    texts = _find_texts({**found, GOLD: known})
    candidates = list(reliability.collect_candidates(found, reliability.find_cuts(read)))
    covered = {id_ for id_ in known if any(id_ in records for records in found.values())}
    if gold is not None and not covered:
        raise BionerError(Errors.E567.format(path=gold))
    models = reliability.estimate_on_gold(candidates, known) if covered else \
        reliability.estimate_by_agreement(candidates, places=_count_places(found, texts))
    weighed = reliability.weigh((one for one in candidates if one.id not in known), models)
    merged = (known[id_] if id_ in known else text.with_mentions(weighed.get(id_, ()))
              for id_, text in texts.items())
    scores = [mention.score or 0.0 for mentions in weighed.values() for mention in mentions]
    measured: Dict[str, Any] = reliability.measure_annotators(found, known) if covered else {
        **{name: {} for name in found}, **reliability.expect_of_annotators(candidates, models)}
    return {"records": write_jsonl(output, merged), "estimated_on": GOLD if covered else "agreement",
            "texts_with_gold": len(covered), "annotators": measured,
            "candidates": len(scores), "expected_correct": round(sum(scores), 1)}


def _count_places(found: Dict[str, Dict[str, Annotation]],
                  texts: Dict[str, Annotation]) -> Dict[Tuple[str, ...], int]:
    """Return the annotators that have read a text, to the pre-tokens of all such texts."""
    from ..tokens import find_units

    places: Counter = Counter()
    for id_, text in texts.items():
        readers = tuple(name for name, records in found.items() if id_ in records)
        if readers:
            places[readers] += len(find_units(text.text))
    return places


def _find_texts(found: Dict[str, Dict[str, Annotation]]) -> Dict[str, Annotation]:
    """Return each text once, by id; raises BionerError E521 where two sources have another text."""
    texts: Dict[str, Annotation] = {}
    for records in found.values():
        for id_, record in records.items():
            if texts.setdefault(id_, record).text != record.text:
                having = ", ".join(name for name, others in found.items() if id_ in others)
                raise BionerError(Errors.E521.format(id=id_, sources=having))
    return texts


def print_weighed(told: Dict[str, Any], output: Path) -> None:
    """Print how far annotators are right, and what came out."""
    for name, labels in told["annotators"].items():
        for label, each in labels.items():
            said = ", ".join(_spell(figure, value) for figure, value in each.items())
            typer.echo(f"{name}, {label}: {said}")
    typer.echo(f"{told['candidates']} candidate spans weighed by {told['estimated_on']}, {told['expected_correct']} of "
               f"them expected to be correct; {told['records']} records written to {output}")


def _spell(figure: str, value: Any) -> str:
    """Return a figure in percent, with its interval where it was measured."""
    if isinstance(value, float):
        return f"{figure.replace('_', ' ')} {100 * value:.1f}"
    share, low, high = value
    return f"{figure} {100 * share:.1f} ({100 * low:.1f} to {100 * high:.1f})"


def _read(path: Path) -> Iterator[Annotation]:
    from ..formats.jsonl import read_jsonl

    empty = True
    for annotation in read_jsonl(path):
        empty = False
        yield annotation
    if empty:
        raise BionerError(Errors.E008.format(path=path))


def _read_gold(path: Path) -> Iterator[Annotation]:
    from ..corpus.sampling import check_split

    for annotation in _read(path):
        check_split(annotation, "train")
        yield annotation


def _look_up(path: Path, label: Optional[str], read: Dict[str, List[Annotation]]) -> Iterator[Annotation]:
    """Yield each text that some source has, once, with the names of the list."""
    from ..merging.dictionary import Dictionary
    from ..synthesis.seeds import read_seeds

    try:
        seeds = read_seeds(path, label=label).seeds
    except BionerError as error:
        # The list is read as `generate seeds` reads it; here its option has another name.
        raise BionerError(re.sub(r"\blabel(?=\)\.| is for)", "--dictionary-label", str(error))) from None
    names: List[Tuple[str, str]] = [(seed.text, seed.label) for seed in seeds]
    known = Dictionary(names)
    texts = {annotation.id: annotation for records in read.values() for annotation in records}
    for annotation in texts.values():
        yield known.annotate(annotation)
