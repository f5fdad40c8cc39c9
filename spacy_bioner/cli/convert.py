"""The verb convert: corpus files of any format in, one file of any format out, chosen and checked on the way."""

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Set, Tuple

import typer

from ..annotation import Annotation
from ..corpus.findings import format_report
from ..corpus.sampling import Fold, check_split
from ..corpus.validation import CorpusFigures
from ..errors import BionerError, Errors
from ..formats.parsing.problems import Problems
from ._shared.check_corpus import check_corpus_files, refuse_corpus_name
from ._shared.console.terminal import console, printable
from ._shared.outputs import refuse_own_folder, refuse_own_input

ALL_LABELS = "*"
ORIGINS = ("gold", "synthetic", "augmented", "raw")
# Options of readers, and the formats that have a use for them.
_OF_FORMATS = {"columns": ("iob",), "label": ("iob", "hf"), "spans_key": ("spacy",)}
# Parameters of the verb that --check-corpus takes with it.
_OF_CHECK = frozenset(("inputs", "output", "from_", "strict", "check_rules"))


@dataclass(frozen=True)
class Conversion:
    """What happens to the records between reading and writing, in this order.

    rename (Mapping[str, str]): Label to new label, empty for mentions that are dropped; "*" stands for all the others.
    labels (Optional[Mapping[str, str]]): The labels that are known; another one is an error.
    schema (str): Where they are from, for the error.
    split (str): The split that the records must be of; records that say none get it.
    meta (Mapping[str, str]): Metadata that is set: origin, corpus, lang, split.
    unlabelled (bool): Whether the mentions are dropped: raw text.
    sentences (bool): Whether documents are cut into sentences.
    exclude (Tuple[Path, ...]): Files whose texts are left out.
    require_disjoint (Tuple[Path, ...]): Files whose texts must not occur.
    fold (Optional[Fold]): The part of the documents that is kept.
    other_folds (Optional[Fold]): The part of the documents that is left out.
    limit (Optional[int]): Size of the sample that is drawn.
    seed (int): Seed of the folds and of the sample.
    """

    rename: Mapping[str, str]
    labels: Optional[Mapping[str, str]]
    schema: str
    split: str
    meta: Mapping[str, str]
    unlabelled: bool
    sentences: bool
    exclude: Tuple[Path, ...]
    require_disjoint: Tuple[Path, ...]
    fold: Optional[Fold]
    other_folds: Optional[Fold]
    limit: Optional[int]
    seed: int


def convert_cli(
    ctx: typer.Context,
    inputs: List[Path] = typer.Argument(..., metavar="IN...", help="Files to read, or folders for brat."),
    output: Path = typer.Argument(..., metavar="OUT", help="File to write; an existing one is replaced."),
    from_: str = typer.Option("", "--from", help="Format of IN, where its name does not make it certain."),
    to: str = typer.Option("", "--to", help="Format of OUT, where its name does not make it certain."),
    sentences: bool = typer.Option(False, "--sentences", help="Cut documents into sentences, never inside a mention."),
    documents: bool = typer.Option(False, "--documents", help="Keep documents whole (so it is without the option)."),
    limit: Optional[int] = typer.Option(None, min=1, help="Draw a sample of this many records, after cutting."),
    fold: str = typer.Option("", metavar="N/K", help="Keep fold N of K: about a K-th of the documents."),
    other_folds: str = typer.Option("", metavar="N/K", help="Keep all folds of K but N, to train on; N is labelled."),
    seed: int = typer.Option(0, min=0, help="Seed of folds and sample; a smaller sample is part of a larger one."),
    split: str = typer.Option("", help="The split the records must be of; records that say none get it."),
    set_split: str = typer.Option("", help="Set the split of the records, whatever they say: for a part of train that "
                                           "becomes dev."),
    origin: str = typer.Option("", help="Set the origin of the records: gold, synthetic, augmented or raw."),
    corpus: str = typer.Option("", help="Set the corpus name of the records."),
    lang: str = typer.Option("", help="Set the language of the records, where they say none."),
    labels: Optional[Path] = typer.Option(None, help="Label schema (YAML); a label that it lacks is an error."),
    rename: List[str] = typer.Option([], metavar="OLD=NEW", help="Rename a label; *=NEW renames all others. OLD= drops "
                                                                  "its mentions."),
    drop_labels: bool = typer.Option(False, "--drop-labels", help="Drop the mentions: raw text."),
    exclude: List[Path] = typer.Option([], help="Leave out texts that occur in this file, whole or as a sentence."),
    require_disjoint: List[Path] = typer.Option([], help="Fail where a text occurs in this file."),
    check_rules: bool = typer.Option(False, "--check-corpus", help="Check IN (train, dev, test, raw: a file each) as "
                                     "the splits of a corpus; OUT takes what was found. --strict: any finding fails."),
    columns: str = typer.Option("", metavar="NAMES", help="Columns of iob files that do not say: FORM, NER, others."),
    label: str = typer.Option("", help="Label of tags that say none (B, I, O), in iob and hf files."),
    spans_key: str = typer.Option("", help="Span group of spacy files, or ents for doc.ents; by default sc, and "
                                           "doc.ents where there is no sc."),
    strict: bool = typer.Option(False, "--strict", help="Fail at the first thing that would be left out or changed."),
) -> None:
    """Convert corpus files: read, check, split into sentences, choose, write.

    Formats: jsonl (records), pubtator, bioc, brat, iob, hf (Hugging Face token classification), spacy. What the
    format of OUT cannot hold, and what could not be read, is counted in a table on standard error.

    Example: spacy-bioner convert corpus.bioc.xml train.jsonl --split train --sentences

    Writes the file or folder OUT.
    """
    from ..formats import get_format, guess_format
    from ._shared.schema import read_schema

    if origin and origin not in ORIGINS:
        wanted = f"{', '.join(ORIGINS[:-1])} or {ORIGINS[-1]}"
        raise BionerError(Errors.E737.format(option="--origin", found=origin, wanted=wanted))
    if check_rules:
        _refuse_unused(ctx)
        refuse_inputs(output, inputs)
        refuse_corpus_name(output)
        problems = Problems(strict=strict)
        report = check_corpus_files(inputs, output, source=from_, strict=strict, problems=problems)
        print_problems(problems, title="Left out or changed")
        return _log(format_report(report))
    if sentences and documents:
        raise BionerError(Errors.E016)
    schema = read_schema(labels) if labels else None
    meta = {"origin": origin, "corpus": corpus, "lang": lang, "split": set_split}
    conversion = Conversion(
        rename=read_renames(rename), labels=schema.labels if schema else None, schema=str(labels), split=split,
        meta={key: value for key, value in meta.items() if value}, unlabelled=drop_labels, sentences=sentences,
        exclude=tuple(exclude), require_disjoint=tuple(require_disjoint), fold=Fold.parse(fold) if fold else None,
        other_folds=Fold.parse(other_folds) if other_folds else None, limit=limit, seed=seed,
    )
    target = to or guess_format(output)
    get_format(target)
    refuse_inputs(output, [*inputs, *exclude, *require_disjoint, *([labels] if labels else [])], format=target)
    problems = Problems(strict=strict)
    options = read_options(inputs, from_, columns=columns.split(), label=label, spans_key=spans_key)
    figures = CorpusFigures()
    try:
        counts = convert(inputs, output, conversion, source=from_, target=target, problems=problems, figures=figures,
                         options=options)
    finally:
        # Of an error too: where nothing is left to write, the table says why.
        print_problems(problems, title="Left out or changed")
    _log(f"{counts['read']} read, {counts['excluded']} excluded, {counts['written']} written to {output}")
    found = ", ".join(f"{label} {count}" for label, count in figures.labels.most_common())
    _log(f"{figures.mentions} mentions ({found or 'raw text'}), {figures.nested} nested, {figures.crossing} crossing")


def convert(inputs: Sequence[Path], output: Path, conversion: Conversion, *, source: str = "", target: str = "",
            problems: Problems, figures: CorpusFigures, options: Mapping[str, Any] = MappingProxyType({}),
            ) -> Dict[str, int]:
    """Read files, choose records and write them to one file.

    inputs (Sequence[Path]): The files.
    output (Path): The file to write.
    conversion (Conversion): What happens on the way.
    source (str): Format of the inputs; by default as their names say.
    target (str): Format of the output; by default as its name says.
    problems (Problems): Takes note of what is left out or changed.
    figures (CorpusFigures): Counts what is written.
    options (Mapping[str, Any]): What the reader of the inputs takes besides.
    RETURNS (Dict[str, int]): How many records were read, left out and written.
    RAISES BionerError: E008 where nothing is left to write; then no file is written.
    """
    from ..formats import read_annotations, write_annotations

    counts = {"read": 0, "excluded": 0, "written": 0}
    found: Set[str] = set()

    def read() -> Iterator[Annotation]:
        for path in inputs:
            raw = conversion.unlabelled or conversion.meta.get("origin") == "raw"
            for annotation in read_annotations(path, source, problems=problems, raw=raw, **options):
                counts["read"] += 1
                found.update(mention.label for mention in annotation.mentions)
                yield check(annotation, path, conversion)

    def refuse_empty(chosen: Iterator[Annotation]) -> Iterator[Annotation]:
        yield from chosen
        # Reached before the file takes its name, and only when the writer has told of all that it has written.
        if not figures.records:
            empty = output if counts["read"] else ", ".join(map(str, inputs))
            raise BionerError(Errors.E008.format(path=empty))

    chosen = refuse_empty(choose(read(), conversion, counts))
    counts["written"] = write_annotations(output, chosen, target, problems=problems, written=figures.add)
    for old, new in conversion.rename.items():
        if old not in found and old != ALL_LABELS:
            problems.add("unused_rename", f"--rename {old}={new}")
    return counts


def read_options(inputs: Sequence[Path], source: str, **options: Any) -> Dict[str, Any]:
    """Check that options of readers are given for files that have a use for them.

    inputs (Sequence[Path]): The files.
    source (str): Their format; by default as their names say.
    options (Any): The options by the names of their parameters; empty ones are left out.
    RETURNS (Dict[str, Any]): Those that are given.
    RAISES BionerError: E025 for an option of another format.
    """
    from ..formats import guess_format

    given = {name: value for name, value in options.items() if value}
    for name in given:
        if any((source or guess_format(path)) not in _OF_FORMATS[name] for path in inputs):
            option = "--" + name.replace("_", "-")
            raise BionerError(Errors.E025.format(option=option, formats=" or ".join(_OF_FORMATS[name])))
    return given


def check(annotation: Annotation, path: Path, conversion: Conversion) -> Annotation:
    """Rename labels, and check labels and split.

    annotation (Annotation): A record.
    path (Path): Its file, for errors.
    conversion (Conversion): What is wanted.
    RETURNS (Annotation): The record with its metadata set.
    RAISES BionerError: E009 for another split, E014 for an unknown label.
    """
    annotation = _rename(annotation, conversion.rename)
    labels = conversion.labels
    for mention in annotation.mentions if labels is not None else ():
        if labels is not None and mention.label not in labels:
            raise BionerError(Errors.E014.format(path=path, id=annotation.id, label=mention.label,
                                                 schema=conversion.schema, known=", ".join(labels)))
    check_split(annotation, conversion.split)
    meta: Dict[str, Any] = {**annotation.meta, **conversion.meta}
    if conversion.split:
        meta["split"] = conversion.split
    if annotation.meta.get("lang"):
        meta["lang"] = annotation.meta["lang"]
    if conversion.unlabelled:
        meta.pop("subtypes", None)
        annotation = annotation.with_mentions(())
    return replace(annotation, meta=meta)


def choose(annotations: Iterable[Annotation], conversion: Conversion, counts: Dict[str, int]) -> Iterator[Annotation]:
    """Cut into sentences, leave out known texts, keep the folds, draw the sample.

    annotations (Iterable[Annotation]): The records.
    conversion (Conversion): What is wanted.
    counts (Dict[str, int]): "excluded" is counted up.
    YIELDS (Annotation): The chosen ones.
    RAISES BionerError: E015 for a text that must not occur.
    """
    from ..corpus.leakage import KnownTexts, refuse_known
    from ..corpus.sampling import draw_sample
    from ..corpus.sentences import split_sentences
    from ..formats import read_annotations

    if conversion.sentences:
        annotations = (sentence for annotation in annotations for sentence in split_sentences(annotation))
    if conversion.exclude:
        annotations = _leave_out(annotations, KnownTexts(conversion.exclude, read_annotations), counts)
    if conversion.require_disjoint:
        annotations = refuse_known(annotations, KnownTexts(conversion.require_disjoint, read_annotations))
    fold, others = conversion.fold, conversion.other_folds
    if fold is not None:
        annotations = (one for one in annotations if fold.holds(one, seed=conversion.seed))
    if others is not None:
        annotations = (one for one in annotations if not others.holds(one, seed=conversion.seed))
    if conversion.limit is not None:
        annotations = draw_sample(annotations, conversion.limit, seed=conversion.seed)
    yield from annotations


def refuse_inputs(output: Path, inputs: Sequence[Path], *, format: str = "") -> None:
    """Refuse to write over what is read, the files of a brat folder among it.

    output (Path): The file that would be written, or for brat the folder.
    inputs (Sequence[Path]): All files and folders that are read.
    format (str): Format of the output.
    RAISES BionerError: E726 where the output is one of them, E733 where a brat folder is, holds, or lies in one of
        them, E727 where no file can stand there.
    """
    if format == "brat":
        return refuse_own_folder(output, inputs)
    read = list(inputs)
    for path in inputs:
        # A document of brat is several files, of which one alone may be named.
        endings = (".txt", ".ann", ".a1", ".a2")
        documents = path.glob("*") if path.is_dir() else (path.with_suffix(ending) for ending in endings)
        read += documents if path.is_dir() or path.suffix.lower() in endings else ()
    refuse_own_input(output, read)


def read_renames(pairs: Iterable[str]) -> Dict[str, str]:
    """Return old label to new, from OLD=NEW or OLD=; raises BionerError E017 for anything else, E036 for two
    new names of one label."""
    renames: Dict[str, str] = {}
    for pair in pairs:
        old, equals, new = pair.partition("=")
        # Of two signs nobody can tell which one belongs to a label.
        if not (old and equals) or "=" in new:
            raise BionerError(Errors.E017.format(value=pair))
        if renames.setdefault(old, new) != new:
            raise BionerError(Errors.E036.format(old=old, first=renames[old], second=new))
    return renames


def print_problems(problems: Problems, *, title: str) -> None:
    """Print the table of what was noticed to standard error, if there is anything."""
    rows = problems.table()
    if not rows:
        return
    from rich.table import Table
    from rich.text import Text

    table = Table("what", "count", "meaning", "first", title=title)
    for kind, count, fate, first in rows:
        table.add_row(kind, str(count), fate, Text(printable(first, line=True)))
    console(stderr=True).print(table)


def _rename(annotation: Annotation, rename: Mapping[str, str]) -> Annotation:
    """Return the annotation with new labels; the old ones go into `meta["subtypes"]`, in the order of the mentions.

    A mention keeps its first label as the attribute "subtype", also where it is cut out with its sentence. A mention
    whose new label is empty is dropped.
    """
    if not rename:
        return annotation
    default = rename.get(ALL_LABELS)
    old: Dict[Any, str] = {}
    renamed = []
    for mention in annotation.mentions:
        label = rename.get(mention.label, mention.label if default is None else default)
        if not label:
            continue
        new = replace(mention, label=label)
        if new.label != mention.label:
            new = replace(new, attributes={"subtype": mention.label, **mention.attributes})
        old.setdefault(new.key, mention.label)
        renamed.append(new)
    annotation = annotation.with_mentions(renamed)
    return annotation.with_meta(subtypes=[old[mention.key] for mention in annotation.mentions])


def _leave_out(annotations: Iterable[Annotation], known: Any, counts: Dict[str, int]) -> Iterator[Annotation]:
    for annotation in annotations:
        if known.find(annotation, headings=True) is None:
            yield annotation
        else:
            counts["excluded"] += 1


def _refuse_unused(ctx: typer.Context) -> None:
    """Refuse what --check-corpus would pass over: BionerError E032 for an option of the conversion."""
    for parameter in ctx.command.params:
        source = ctx.get_parameter_source(parameter.name)
        if parameter.name not in _OF_CHECK and source is not None and source.name == "COMMANDLINE":
            raise BionerError(Errors.E032.format(option=parameter.opts[0]))


def _log(line: str) -> None:
    print(line, file=sys.stderr)
