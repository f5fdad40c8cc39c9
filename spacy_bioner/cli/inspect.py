"""The verb inspect: whether a corpus was read correctly, and whether it is fit to learn from and to test on."""

from pathlib import Path
from typing import Dict, List, Optional

import typer

from ..errors import BionerError, Errors
from ..formats import FORMATS, is_brat_folder, is_corpus_file, is_plain_text
from ._shared.console.terminal import console, printable

_ORDER = ("train", "dev", "test")


def inspect_cli(
    corpus: List[Path] = typer.Argument(..., metavar="CORPUS...", help="Files, a folder with train, dev and test, or a "
                                                                  "folder of .txt files."),
    output: Optional[Path] = typer.Option(None, help="HTML page to write; without it, text goes to the screen."),
    from_: str = typer.Option("", "--from", help="Format of the files, where their names do not make it certain."),
    labels: Optional[Path] = typer.Option(None, help="Label schema (YAML); labels that it lacks are shown."),
    examples: int = typer.Option(5, min=0, help="How many records of each part are shown."),
    seed: int = typer.Option(0, min=0, help="Seed of the draw of examples."),
    label: str = typer.Option("", help="Label of tags that say none (B, I, O), in iob and hf files."),
    spans_key: str = typer.Option("", help="Span group of spacy files, or ents for doc.ents; by default sc, and "
                                           "doc.ents where there is no sc."),
    raw: bool = typer.Option(False, "--raw", help="The files are raw text; one that is named raw is so anyway."),
    strict: bool = typer.Option(False, "--strict", help="Fail at the first thing that cannot be read as it stands."),
) -> None:
    """Look at a corpus: counts, labels, lengths, nesting, texts in two splits, problems, examples.

    The result is Markdown on standard output, or a file.

    Example: spacy-bioner inspect assets/corpora/embedded --strict

    Prints the counts, or writes them to the file of --output.
    """
    from ..corpus.summary import inspect_corpus
    from ..files import open_atomic
    from ..formats import read_annotations
    from ..formats.parsing.problems import Problems
    from ..report.corpus_page import build_page
    from ..report.page import render_html, render_markdown
    from ._shared.schema import read_schema
    from .convert import read_options, refuse_inputs

    known = read_schema(labels).labels if labels else {}
    problems = Problems(strict=strict)
    files = find_parts(corpus)
    if output is not None:
        refuse_inputs(output, [*files.values(), *([labels] if labels else [])])
    options = read_options(list(files.values()), from_, label=label, spans_key=spans_key)
    parts = {name: list(read_annotations(path, from_, problems=problems, raw=raw or is_raw(path), **options))
             for name, path in files.items()}
    for name, annotations in parts.items():
        if not annotations:
            raise BionerError(Errors.E008.format(path=name))
    inspection = inspect_corpus(parts, labels=known, examples=examples, seed=seed)
    title = ", ".join(dict.fromkeys(path.name.split(".")[0] for path in corpus))
    page = build_page(title, inspection, problems, pictures=output is not None)
    if output is None:
        _show(render_markdown(page))
        return
    with open_atomic(output, private=True) as file_:
        file_.write(render_html(page))
    typer.echo(f"{len(parts)} parts, {sum(map(len, parts.values()))} records: {output}")


def is_raw(path: Path) -> bool:
    """Return whether a file is named after raw text, or is text without annotation."""
    return path.name.split(".")[0].lower() == "raw" or is_plain_text(path)


def find_parts(corpus: List[Path]) -> Dict[str, Path]:
    """Find the files of a corpus.

    corpus (List[Path]): Files, folders with a file for each split, or BRAT folders.
    RETURNS (Dict[str, Path]): Name of each part to its file; of each folder train, dev and test come first.
    RAISES BionerError: E001 for a folder without a corpus, E034 for a file that is given twice.
    """
    paths: List[Path] = []
    for path in corpus:
        if path.is_dir() and not is_brat_folder(path):
            found = [file_ for file_ in sorted(path.iterdir())
                     if is_corpus_file(file_) or file_.name.split(".")[0].lower() == "raw" and is_plain_text(file_)]
            if not found:
                raise BionerError(Errors.E001.format(path=path / f"*{FORMATS['jsonl'].endings[0]}", wanted="corpus"))
            paths += found
        else:
            paths.append(path)
    places = [path.resolve() for path in paths]
    twice = next((path for number, path in enumerate(paths) if places[number] in places[:number]), None)
    if twice is not None:
        raise BionerError(Errors.E034.format(path=twice))
    stems = [path.name.split(".")[0] for path in paths]
    folders = [path.resolve().parent for path in paths]
    rank = {name: place for place, name in enumerate(_ORDER)}
    order = sorted(range(len(paths)), key=lambda place: (folders.index(folders[place]), rank.get(stems[place], 9)))
    for names in (stems, [f"{folder.name}/{stem}" for folder, stem in zip(folders, stems)], list(map(str, paths))):
        if len(set(names)) == len(paths):
            break
    return {names[place]: paths[place] for place in order}


def _show(markdown: str) -> None:
    """Print Markdown, set as tables where somebody looks at a screen."""
    from rich.markdown import Markdown

    screen = console()
    if screen.is_terminal:
        screen.print(Markdown(printable(markdown)))
    else:
        print(markdown)
