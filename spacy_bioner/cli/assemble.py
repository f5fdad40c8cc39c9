"""The verb assemble: a trained pipeline with its selector and its model card, ready for `spacy package`."""

from enum import Enum
from pathlib import Path
from typing import List, Optional

import typer

from ..errors import BionerError, Errors
from ._shared.named_paths import parse_named_paths
from ._shared.outputs import refuse_own_folder, say_next
from .report import read_card

_NONE = Path("none")


class UseSelector(str, Enum):
    """Whether the selector is put into the pipeline."""

    yes = "yes"
    no = "no"


def assemble_cli(
    pipeline: Path = typer.Argument(..., help="A trained pipeline, as `train spancat` makes it."),
    output: Path = typer.Argument(..., metavar="OUT", help="Folder for the pipeline that is packaged."),
    others: List[str] = typer.Option([], "--or", metavar="NAME=PIPELINE", help="A pipeline trained otherwise; it is "
                                     "shipped in place of the first where dev says that it is better."),
    selector: Optional[Path] = typer.Option(None, help="Pipeline with a span_selector, put behind the others."),
    use_selector: UseSelector = typer.Option(UseSelector.yes, help="no leaves out --selector, so that a "
                                                                    "workflow can name both."),
    linker: Optional[Path] = typer.Option(None, help="Pipeline with a concept_linker, as `train linker` makes it; put "
                                                     "behind all others. none, for a workflow: without."),
    seen: List[Path] = typer.Option([], help="Records of training and dev: salted hashes of their sentences go into "
                                        "the pipeline, and `verify` can say whether a test set was among them."),
    calibration: Optional[Path] = typer.Option(None, help="Gold that nothing else was chosen on: thresholds are "
                                               "chosen anew, so that few mentions are missed, guaranteed."),
    most_missed: float = typer.Option(10.0, help="With --calibration, the percentage of the gold mentions of each "
                                                 "label that is missed at most, with 95% confidence; a document with "
                                                 "more than ten mentions of a label counts as one with ten."),
    corpus: Optional[Path] = typer.Option(None, help="Card of the corpus, corpus.json as prepare writes it."),
    metrics: Optional[Path] = typer.Option(None, help="Metrics file of evaluate, for the scores on test."),
    system: str = typer.Option("trained on silver and gold", help="Name of the pipeline, and of its system in "
                                                                       "the metrics file."),
    int8: bool = typer.Option(False, "--int8", help="Round the weights to 8 bits: a quarter of the size, and faster on "
                                                    "CPUs without bfloat16."),
) -> None:
    """Put a pipeline together as it is shipped: components, thresholds and a model card.

    With --or the pipeline that is better on dev is shipped. `spacy package` then builds a wheel.

    Example: spacy-bioner assemble training/spancat/model-best training/pipeline --corpus corpus/corpus.json

    Writes the folder OUT, with meta.json and README.md.
    """
    from ..ml.recall_guarantee import MOST_COUNTED
    from ..packaging.assemble import assemble, choose_on_dev
    from ..packaging.model_card import read_scores

    if not 0 < most_missed < 100:
        raise BionerError(Errors.E808.format(found=f"{most_missed:g}"))
    linker = linker if linker != _NONE else None
    pipelines = {system: pipeline, **parse_named_paths(others, taken=[system], unreadable=Errors.E538,
                                                       repeated=Errors.E605)}
    refuse_own_folder(output, [*pipelines.values(), *filter(None, (selector, linker))])
    chosen, dev = choose_on_dev(pipelines) if others else (system, {})
    scores = read_scores(read_card(metrics), chosen, path=metrics) if metrics is not None else None
    facts = assemble(pipelines[chosen], output, selector=selector if use_selector is UseSelector.yes else None,
                     corpus=read_card(corpus) if corpus is not None else None, scores=scores, dev=dev, system=chosen,
                     linker=linker, int8=int8, seen=seen, calibration=calibration, missed=most_missed / 100)
    if dev:
        typer.echo(f"Of {', '.join(f'{name} (dev F1 {score:.2f})' for name, score in dev.items())}: {chosen}")
    if facts["promise"]:
        for label, one in facts["promise"]["labels"].items():
            said = (f"at most {most_missed:g}% missed, guaranteed at threshold {one['threshold']:g}; a document with "
                    f"more than {MOST_COUNTED} mentions counts as one with {MOST_COUNTED}") if one["holds"] \
                else f"no guarantee, with {one['mentions']} mentions in {one['documents']} documents"
            typer.echo(f"{label}: {said}", err=not one["holds"])
    typer.echo(f"{output}: {', '.join(facts['thresholds'])}; {len(facts['labels'])} labels; "
               f"corpus {facts['corpus']['name']} ({facts['corpus']['license']})")
    say_next(f"package {output} packages --name NAME")
