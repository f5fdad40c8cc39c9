"""The verb prepare: a corpus folder made ready for the workflow."""

import shutil
import sys
from enum import Enum
from pathlib import Path
from typing import List, Optional

import typer

from ..errors import BionerError, Errors
from ..files import open_atomic, write_json, write_json_lines
from ..project_files import find_project_file
from ._shared.outputs import refuse_own_folder, refuse_own_input, say_next
from ._shared.schema import Schema, read_schema


class Leaks(str, Enum):
    """What is done with a train record that stands in dev or test, or a dev record that stands in test."""

    error = "error"
    drop = "drop"


def prepare_cli(
    data: Path = typer.Argument(..., help="Folder of the corpora."),
    corpus: str = typer.Argument(..., help="Folder below it, with train, dev and test as .jsonl or .jsonl.gz."),
    output: Path = typer.Argument(..., metavar="OUT", help="Folder for train, dev, test and raw as sentences."),
    labels: Optional[Path] = typer.Option(None, help="Label schema; by default labels.yml in the corpus folder, or "
                                                     "assets/labels/<corpus>.yml."),
    raw: str = typer.Option("auto", help="Raw text: auto (raw.jsonl, raw.txt and the folder raw of the corpus, and "
                                         "train), train (what the gold sample leaves), a folder of a corpus or of .txt "
                                         "files, a .txt file, or none."),
    gold_limit: int = typer.Option(0, min=0, help="Sentences of train to take; 0 takes all."),
    raw_limit: int = typer.Option(0, min=0, help="Raw sentences to take; 0 takes all."),
    dev_limit: int = typer.Option(0, min=0, help="Sentences of dev to take; 0 takes all."),
    test_limit: int = typer.Option(0, min=0, help="Sentences of test to take; 0 takes all."),
    lang: str = typer.Option("en", help="Language of the texts, where they do not say it."),
    leaks: Leaks = typer.Option(Leaks.error, help="A train record that stands in dev or test, or a dev record that "
                                                  "stands in test: error, or drop it."),
    label_dev_text: bool = typer.Option(False, "--label-dev-text", help="Take the dev texts, labels dropped, as raw "
                                                                        "text; dev is then a tenth of train."),
    apart_from: List[Path] = typer.Option([], help="Records of another corpus, such as its test set: train and raw "
                                                   "text share no sentence with them; can be repeated."),
    partial: bool = typer.Option(False, "--partial", help="Go on without train, dev or test where the corpus has no "
                                                           "such file; it is written empty."),
    package_version: str = typer.Option("", help="Version of the wheel that will be built, to check it now."),
    strict: bool = typer.Option(False, "--strict", help="Fail at unknown keys, mentions that cannot be marked, and "
                                                        "labels without a mention in the sample."),
    seed: int = typer.Option(0, min=0, help="Seed of the samples."),
) -> None:
    """Split a corpus into sentences, take samples, and check labels, splits and leaks.

    Raw text is gathered too. A training record that occurs in dev or test, or a dev record in test, is an error.

    Example: spacy-bioner prepare assets/corpora embedded corpus --gold-limit 100

    Writes train, dev, test and raw (.jsonl), labels.yml and the card corpus.json.
    """
    from ..corpus.preparation import AUTO_RAW, NO_RAW, Limits, prepare_corpus
    from ..corpus.readiness import check_names

    check_names(corpus, package_version)
    if not (data / corpus).is_dir():
        raise BionerError(Errors.E001.format(path=data / corpus, wanted="corpus folder"))
    refuse_own_folder(output, [data / corpus, *([data / raw] if raw not in (AUTO_RAW, "train", NO_RAW) else [])])
    schema_path = find_schema(data, corpus, labels)
    schema = read_schema(schema_path)
    if schema.lang != lang:
        raise BionerError(Errors.E738.format(path=schema_path, found=schema.lang, wanted=lang))
    prepared = prepare_corpus(data, corpus, labels=schema.labels, lang=lang, raw=raw, seed=seed,
                              limits=Limits(gold_limit, raw_limit, dev_limit, test_limit),
                              drop_leaks=leaks is Leaks.drop, label_dev_text=label_dev_text, apart_from=apart_from,
                              strict=strict, partial=partial)
    for name in prepared.parts:
        refuse_own_input(output / f"{name}.jsonl", [data / prepared.sources["raw"], *apart_from])
    # All gold can do without; else a workflow would find out after hours that it had nothing to annotate.
    if raw != NO_RAW and not prepared.parts["raw"] and (raw != AUTO_RAW or partial):
        raise BionerError(Errors.E035.format(source=prepared.sources["raw"], corpus=data / corpus))
    for name, sentences in prepared.parts.items():
        write_json_lines(output / f"{name}.jsonl", (sentence.to_record() for sentence in sentences))
    with open_atomic(output / "labels.yml", "wb") as file_, schema_path.open("rb") as source:
        shutil.copyfileobj(source, file_)
    write_json(output / "corpus.json", {"corpus": corpus, "seed": seed, **describe(schema), **prepared.card()})
    for name, card in prepared.card()["parts"].items():
        print(f"{name}: {card['sentences']} sentences, {card['mentions']} mentions", file=sys.stderr)
    for note in prepared.notes:
        print(f"note: {note}", file=sys.stderr)
    say_next(f"train annotator {output / 'train.jsonl'} ADAPTER --labels {output / 'labels.yml'} "
             f"--dev {output / 'dev.jsonl'} --held-out {output / 'test.jsonl'}")


def describe(schema: Schema) -> dict:
    """Return the schema for the card of the corpus."""
    return {"name": schema.corpus, "lang": schema.lang, "license": schema.license, "dataset": schema.dataset,
            "definitions": schema.labels}


def find_schema(data: Path, corpus: str, labels: Optional[Path]) -> Path:
    """Find the label schema of a corpus.

    data (Path): Folder of the corpora.
    corpus (str): Name of the corpus.
    labels (Optional[Path]): The schema where it is named.
    RETURNS (Path): The file.
    RAISES BionerError: E001 where there is none.
    """
    if labels is not None:
        return find_project_file(labels)
    places = [data / corpus / "labels.yml", find_project_file(Path("assets/labels") / f"{corpus}.yml")]
    for place in places:
        if place.is_file():
            return place
    raise BionerError(Errors.E001.format(path=" or ".join(map(str, places)), wanted="label schema"))
