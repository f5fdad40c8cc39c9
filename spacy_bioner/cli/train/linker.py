"""The verb train linker: ontologies, tables and gold with identifiers in, a linker of mentions to concepts out."""

from pathlib import Path
from typing import List, Optional, Tuple

import typer

from ...errors import BionerError, Errors
from .._shared.outputs import refuse_own_folder


def train_linker_cli(
    sources: List[str] = typer.Argument(..., metavar="[LABEL=]FILE...", help="Ontologies (.obo, MeSH .xml, .bin), "
                                        "tables with columns name and id (.csv, .tsv), or gold of training with "
                                        "ids. LABEL: of the mentions that names of ontology or table are."),
    output: Path = typer.Argument(..., metavar="OUT", help="Folder for the pipeline."),
    dev: Optional[Path] = typer.Option(None, help="Gold of the dev set with ids; the least score of a link is chosen "
                                                  "on it."),
    lang: str = typer.Option("en", help="Language of the pipeline: en or zh."),
    overwrite: bool = typer.Option(False, "--overwrite", help="Replace the pipeline in OUT."),
) -> None:
    """Make a linker, which gives mentions the identifiers of concepts.

    It compares names: exact, folded, as words, spelt out where the text abbreviates, and by similarity.

    Example: spacy-bioner train linker train.jsonl DISEASE=doid.obo linker --dev dev.jsonl

    Writes the pipeline OUT, for `assemble --linker`.
    """
    from ...formats.parsing.problems import Problems
    from ...linking.linker_training import make_linker

    named = [parse_source(source) for source in sources]
    refuse_own_folder(output, [path for path, _ in named])
    if output.exists() and any(output.iterdir()) and not (overwrite and (output / "meta.json").is_file()):
        raise BionerError(Errors.E530.format(path=output) if not (output / "meta.json").is_file()
                          else Errors.E514.format(path=output))
    problems = Problems()
    card = make_linker(named, output, dev=dev, lang=lang, problems=problems)
    for _, count, fate, place in problems.table():
        typer.echo(f"note: {count} times: {fate.removeprefix('note: ')}; first {place}", err=True)
    tuned = card.get("tuned")
    said = f"; dev F1 of links {tuned['dev_f']:.2f} at threshold {tuned['threshold']:g}" if tuned else ""
    typer.echo(f"{output}: {card['names']} names of {card['concepts']} concepts{said}")


def parse_source(argument: str) -> Tuple[Path, str]:
    """Read `LABEL=FILE` or `FILE`.

    argument (str): As given on the command line.
    RETURNS (Tuple[Path, str]): The file, and the label or "".
    """
    label, equals, path = argument.partition("=")
    return (Path(path), label) if equals and path and not Path(argument).exists() else (Path(argument), "")
