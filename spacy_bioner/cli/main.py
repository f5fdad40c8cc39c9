"""The typer app: one verb a file; `train`, `select` and `generate` are groups of verbs."""

import os
import sys
from contextlib import suppress

import typer

from .. import __version__
from ..cpu_threads import set_thread_defaults
from ..errors import BionerError
from ._shared.console.signals import Stopped, stopping_on_signals
from ._shared.console.terminal import escaped_output, printable, quiet_libraries
from ._shared.overrides import OverridableCommand
from ._shared.verb_command import VerbCommand
from .annotate import annotate_cli
from .assemble import assemble_cli
from .convert import convert_cli
from .decode import decode_cli
from .encode import encode_cli
from .evaluate import evaluate_cli
from .experiment import experiment_cli
from .generate.seeds import generate_seeds_cli
from .generate.sentences import generate_sentences_cli
from .generate.variants import generate_variants_cli
from .init import SpreadCommand, init_cli
from .inspect import inspect_cli
from .merge import merge_cli
from .package import package_cli
from .prepare import prepare_cli
from .report import report_cli
from .review.audit import audit_cli
from .review.import_corrections import review_import_cli
from .review.next import review_next_cli
from .review.serve import review_serve_cli
from .review.status import review_status_cli
from .run import VariableCommand, run_cli
from .select.gold import select_gold_cli
from .select.records import select_records_cli
from .select.silver import select_silver_cli
from .select.spans import select_spans_cli
from .serve import serve_cli
from .train.annotator import train_annotator_cli
from .train.generator import train_generator_cli
from .train.head_start import train_head_start_cli
from .train.linker import train_linker_cli
from .train.selector import train_selector_cli
from .train.spancat import train_spancat_cli
from .verify import verify_cli


def make_group(name: str, about: str) -> typer.Typer:
    """Make a group of verbs.

    name (str): Its name on the command line.
    about (str): What `--help` says of it.
    RETURNS (typer.Typer): The group, without verbs.
    """
    return typer.Typer(name=name, help=about, no_args_is_help=True, add_completion=False,
                       pretty_exceptions_enable=False)


app = make_group("spacy-bioner", "Recognise named entities in biomedical text: fine-tune a language model, let it "
                                 "annotate raw text, and train a small span categorizer on the result.")
train = make_group("train", "Train a model: the LLM annotator, the sentence generator, the span selector, the concept "
                            "linker or the span categorizer.")
select = make_group("select", "Select gold records to train on, a few of them, the correct ones of annotated spans, or "
                              "what to train on from the annotations of a teacher.")
generate = make_group("generate", "Generate training data: seed entities, sentences around them, variants of gold "
                                  "sentences.")

review = make_group("review", "People in the loop: choose the sentences to correct next, correct them on a local page "
                              "or in an annotation tool, merge the corrections, and see whether more are worth it.")


def show_version(wanted: bool) -> None:
    """Print the version and stop, if it is asked for."""
    if wanted:
        typer.echo(f"spacy-bioner {__version__}")
        raise typer.Exit()


@app.callback()
def set_up(
    version: bool = typer.Option(False, "--version", callback=show_version, is_eager=True, help="Print the version."),
) -> None:
    """Take the options that stand before a verb."""


app.command("init", cls=SpreadCommand)(init_cli)
app.command("run", cls=VariableCommand)(run_cli)
app.command("prepare", cls=VerbCommand)(prepare_cli)
app.command("inspect", cls=VerbCommand)(inspect_cli)
app.command("convert", cls=VerbCommand)(convert_cli)
app.command("annotate", cls=OverridableCommand)(annotate_cli)
app.add_typer(select)
select.command("records", cls=OverridableCommand)(select_records_cli)
select.command("gold", cls=VerbCommand)(select_gold_cli)
select.command("spans", cls=VerbCommand)(select_spans_cli)
select.command("silver", cls=VerbCommand)(select_silver_cli)
app.add_typer(train)
train.command("annotator", cls=OverridableCommand)(train_annotator_cli)
train.command("head-start", cls=OverridableCommand)(train_head_start_cli)
train.command("generator", cls=OverridableCommand)(train_generator_cli)
train.command("selector", cls=OverridableCommand)(train_selector_cli)
train.command("linker", cls=VerbCommand)(train_linker_cli)
train.command("spancat", cls=OverridableCommand)(train_spancat_cli)
app.add_typer(generate)
generate.command("seeds", cls=OverridableCommand)(generate_seeds_cli)
generate.command("sentences", cls=OverridableCommand)(generate_sentences_cli)
generate.command("variants", cls=OverridableCommand)(generate_variants_cli)
app.command("merge", cls=VerbCommand)(merge_cli)
app.add_typer(review)
review.command("next", cls=VerbCommand)(review_next_cli)
review.command("serve", cls=VerbCommand)(review_serve_cli)
review.command("import", cls=VerbCommand)(review_import_cli)
review.command("status", cls=VerbCommand)(review_status_cli)
app.command("audit", cls=VerbCommand)(audit_cli)
app.command("evaluate", cls=VerbCommand)(evaluate_cli)
app.command("report", cls=VerbCommand)(report_cli)
app.command("assemble", cls=VerbCommand)(assemble_cli)
app.command("package", cls=VerbCommand)(package_cli)
app.command("serve", cls=VerbCommand)(serve_cli)
app.command("verify", cls=VerbCommand)(verify_cli)
app.command("encode", cls=VerbCommand)(encode_cli)
app.command("decode", cls=VerbCommand)(decode_cli)
app.command("experiment", cls=OverridableCommand)(experiment_cli)


def main() -> None:
    """Run a verb; what a user can mend is one line on standard error and exit code 1."""
    set_thread_defaults()
    quiet_libraries()
    with escaped_output():
        _run()


def _run() -> None:
    try:
        with stopping_on_signals():
            try:
                app()
            finally:
                sys.stdout.flush()
    except BionerError as error:
        print(f"spacy-bioner: {printable(str(error), line=True)}", file=sys.stderr)
        sys.exit(1)
    except OSError as error:
        print(f"spacy-bioner: {error.strerror or error}: {error.filename or 'no file named'}", file=sys.stderr)
        _discard_output()
        sys.exit(1)
    except Stopped as stopped:
        print(f"spacy-bioner: {stopped}", file=sys.stderr)
        sys.exit(stopped.exit_code)


def _discard_output() -> None:
    """Keep the interpreter from writing again, as it ends, what a full standard output has not taken."""
    with suppress(OSError, ValueError, AttributeError):  # there may be none, or one without a file
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno())  # type: ignore[union-attr]
