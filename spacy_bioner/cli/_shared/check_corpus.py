"""The check behind `convert --check-corpus`: are these files fit to be the splits of one corpus?"""

from dataclasses import asdict
from pathlib import Path
from typing import Dict, Iterable, List

from ...annotation import Annotation
from ...corpus.findings import CorpusReport, format_report
from ...errors import BionerError, Errors
from ...files import open_atomic, write_json
from ...formats.parsing.problems import Problems

SPLITS = ("train", "dev", "test", "raw")

# Rules that no corpus may break; the others are a matter of what it is made for, and fatal only when strict.
FATAL = ("offsets", "repeated_mention", "repeated_id", "two_splits")


def check_corpus_files(inputs: Iterable[Path], output: Path, *, source: str = "", strict: bool = False,
                       problems: Problems) -> CorpusReport:
    """Check files against each other as the splits of a corpus, and write what was found.

    inputs (Iterable[Path]): A file for each split, named after it: train.jsonl, dev.jsonl, test.jsonl, raw.jsonl.
    output (Path): The report: numbers and findings where the name ends in .json, else text.
    source (str): Format of the files; by default as their names say.
    strict (bool): Whether every broken rule is an error, and not just those that no corpus may break.
    problems (Problems): Takes note of what the files state and could not be read.
    RETURNS (CorpusReport): The counts and the broken rules.
    RAISES BionerError: E026 where two files have one name, E027 for broken rules, of which the report is written
        before, E033 for a name that is no split.
    """
    from ...corpus.rules import check_corpus

    report = check_corpus(_read_splits(inputs, source, problems))
    if output.suffix == ".json":
        write_json(output, asdict(report))
    else:
        with open_atomic(output) as file_:
            file_.write(format_report(report) + "\n")
    broken = [finding for finding in report.findings if strict or finding.rule in FATAL]
    if broken:
        raise BionerError(Errors.E027.format(count=len(broken), rule=broken[0].rule, place=broken[0].place,
                                             detail=broken[0].detail, path=output))
    return report


def refuse_corpus_name(output: Path) -> None:
    """Refuse a report that is called what a split is: the last split, where the name of the report was forgotten.

    output (Path): The report.
    RAISES BionerError: E734 where its name is that of a split or ends as corpus files do.
    """
    from ...formats import is_corpus_file

    if output.name.split(".")[0] in SPLITS or is_corpus_file(output):
        raise BionerError(Errors.E734.format(path=output))


def _read_splits(inputs: Iterable[Path], source: str, problems: Problems) -> Dict[str, List[Annotation]]:
    from ...formats import read_annotations

    splits: Dict[str, List[Annotation]] = {}
    for path in inputs:
        name = path.name.split(".")[0]
        if name not in SPLITS:
            raise BionerError(Errors.E033.format(path=path))
        if name in splits:
            raise BionerError(Errors.E026.format(path=path, name=name))
        splits[name] = list(read_annotations(path, source, problems=problems, raw=name == "raw"))
        if not splits[name]:
            raise BionerError(Errors.E008.format(path=path))
    return splits
