"""The verb select silver: annotations of a teacher in, training records and held-out sets out."""

import json
import sys
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

import typer

from ...annotation import Annotation
from ...errors import BionerError, Errors
from ...files import write_json, write_json_lines
from .._shared.outputs import refuse_own_folder

_GENERATED = "generated"


def select_silver_cli(
    sources: List[Path] = typer.Argument(..., metavar="IN...", help="Records of raw text that a teacher annotated, and "
                                                                    "of sentences that it generated."),
    output: Path = typer.Argument(..., metavar="OUT", help="Folder for synthetic.jsonl, dev.jsonl, test.jsonl and "
                                                           "the card corpus.json."),
    corpus: Path = typer.Option(..., help="Folder of `prepare --partial`, whose dev and test may be empty."),
    dev_predicted: Optional[Path] = typer.Option(None, help="Its dev set as the teacher annotated it: spans that "
                                                            "score lower than is best there are dropped."),
    test_predicted: Optional[Path] = typer.Option(None, help="Its test set as the teacher annotated it: goes to "
                                                             "teacher.jsonl, for `evaluate`."),
    seed: int = typer.Option(0, min=0, help="Random seed of what is held out."),
) -> None:
    """Choose what to train on from the annotations of a teacher, with or without gold.

    Without gold for dev or test, 15% of the annotated raw text takes its place and is not used in training.

    Example: spacy-bioner select silver annotated.jsonl silver --corpus corpus/mine

    Writes the folder OUT; dropped spans go to synthetic.rejected.jsonl, thresholds and counts to selection.json.
    """
    refuse_own_folder(output, [corpus, *sources, *filter(None, (dev_predicted, test_predicted))])
    facts = select_silver(sources, output, corpus=corpus, dev_predicted=dev_predicted,
                          test_predicted=test_predicted, seed=seed)
    for name, count in facts["held_out"].items():
        print(f"note: no gold for {name}; {count} sentences that the teacher annotated take its place",
              file=sys.stderr)
    print(f"{facts['records']} records -> {output}; least scores {json.dumps(facts['least_scores'])}, "
          f"{sum(each['dropped'] for each in facts['labels'].values())} spans dropped", file=sys.stderr)


def select_silver(sources: Sequence[Path], output: Path, *, corpus: Path, dev_predicted: Optional[Path] = None,
                  test_predicted: Optional[Path] = None, seed: int = 0) -> Dict[str, Any]:
    """Write the records that a student is trained on, tuned on and measured on.

    sources (Sequence[Path]): Records of the teacher.
    output (Path): The folder.
    corpus (Path): Folder of `prepare`.
    dev_predicted (Optional[Path]): The dev set as the teacher annotated it.
    test_predicted (Optional[Path]): The test set as the teacher annotated it.
    seed (int): Random seed of what is held out.
    RETURNS (Dict[str, Any]): records, held_out (sentences by set), least_scores, and given and dropped spans by label.
    RAISES BionerError: E008 where there is no annotated record, E044 where there are too few to hold some out.
    """
    from ...corpus.leakage import KnownTexts
    from ...corpus.set_aside import read_set_aside
    from ...formats.jsonl import read_jsonl
    from ...training.silver_selection import HELD_OUT, choose_least_scores, choose_spans, hold_out

    gold = {name: list(read_jsonl(corpus / f"{name}.jsonl")) for name in ("train", *HELD_OUT)}
    records = [record for path in sources for record in read_jsonl(path)]
    annotated = [record for record in records if record.meta.get("source") != _GENERATED]
    if not annotated:
        raise BionerError(Errors.E008.format(path=" and ".join(map(str, sources))))
    missing = [name for name in HELD_OUT if not gold[name]]
    parts = hold_out(annotated, missing, seed=seed)
    found = list(read_jsonl(dev_predicted)) if dev_predicted is not None and gold["dev"] else []
    least = choose_least_scores(gold["dev"], found)
    held_out = {name: gold[name] or parts[name] for name in HELD_OUT}
    for name, sentences in held_out.items():
        _write(output / f"{name}.jsonl", sentences)
    if test_predicted is not None:
        _write(output / "teacher.jsonl",
               [*read_jsonl(test_predicted), *read_set_aside(test_predicted)] if gold["test"] else parts["test"])
    known = KnownTexts([output / f"{name}.jsonl" for name in HELD_OUT], read_jsonl)
    generated = [record for record in records if record.meta.get("source") == _GENERATED and not known.find(record)]
    chosen = choose_spans([*parts["train"], *generated], least)
    _write(output / "synthetic.jsonl", chosen.kept)
    _write(output / "synthetic.rejected.jsonl", chosen.rejected)
    facts = {"records": len(chosen.kept), "held_out": {name: len(parts[name]) for name in missing},
             "least_scores": least,
             "labels": {label: {"given": count["given"], "dropped": count["dropped"]}
                        for label, count in sorted(chosen.counts.items())}}
    write_json(output / "selection.json", facts)
    write_json(output / "corpus.json", describe(corpus / "corpus.json", {**gold, **held_out, "raw": annotated},
                                                missing=missing, facts=facts))
    return facts


def describe(card: Path, parts: Dict[str, List[Annotation]], *, missing: Sequence[str],
             facts: Dict[str, Any]) -> Dict[str, Any]:
    """Return the card of the corpus with what was annotated and held out.

    card (Path): The card that `prepare` wrote.
    parts (Dict[str, List[Annotation]]): The sentences of each part.
    missing (Sequence[str]): The sets that annotated raw text takes the place of.
    facts (Dict[str, Any]): What was selected.
    RETURNS (Dict[str, Any]): The card.
    RAISES BionerError: E611 where the card is no JSON object.
    """
    from ...corpus.preparation import PreparedCorpus
    from ..report import read_card

    told = read_card(card)
    sources = {name: "raw text, annotated by the teacher" if name in (*missing, "raw") else part.get("source", "")
               for name, part in told.get("parts", {}).items()}
    notes = [*told.get("notes", ()), *(f"no gold for {name}: annotated raw text takes its place" for name in missing)]
    return {**told, **PreparedCorpus(parts, notes, sources).card(), "selection": facts}


def _write(path: Path, annotations: Sequence[Annotation]) -> None:
    write_json_lines(path, (annotation.to_record() for annotation in annotations))
