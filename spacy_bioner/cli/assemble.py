"""The verb assemble: a trained pipeline with its selector and its model card, ready for `spacy package`."""

from pathlib import Path
from typing import Optional

import typer

from ..errors import BionerError, Errors
from .report import read_card

SELECTS = ("yes", "no")


def assemble_cli(
    pipeline: Path = typer.Argument(..., help="A trained pipeline, as train makes it."),
    output: Path = typer.Argument(..., metavar="OUT", help="Folder for the pipeline that is packaged."),
    selector: Optional[Path] = typer.Option(None, help="Pipeline with a span_selector, put behind the others."),
    use_selector: str = typer.Option("yes", help="no leaves out --selector, so that a workflow can name both."),
    corpus: Optional[Path] = typer.Option(None, help="Card of the corpus, corpus.json as prepare writes it."),
    metrics: Optional[Path] = typer.Option(None, help="Metrics file of evaluate, for the scores on test."),
    system: str = typer.Option("synthetic+gold", help="Which system of the metrics file this pipeline is."),
) -> None:
    """Put a pipeline together as it is shipped: components, thresholds, and a model card in meta.json and README.md."""
    from ..training.assembled import assemble
    from ..training.model_card import read_scores

    if use_selector not in SELECTS:
        raise BionerError(Errors.E708.format(option="--use-selector", found=use_selector, wanted=" or ".join(SELECTS)))
    scores = read_scores(read_card(metrics), system, path=metrics) if metrics is not None else None
    facts = assemble(pipeline, output, selector=selector if use_selector == "yes" else None,
                     corpus=read_card(corpus) if corpus is not None else None, scores=scores)
    typer.echo(f"{output}: {', '.join(facts['thresholds'])}; {len(facts['labels'])} labels; "
               f"corpus {facts['corpus']['name']} ({facts['corpus']['license']})")
