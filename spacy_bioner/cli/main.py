"""The typer app: one verb a file, each loaded when it is called."""

import sys

import typer

from ..cpu_threads import set_thread_defaults
from ..errors import BionerError
from ._shared.settings import ALLOW_OVERRIDES
from .annotate import annotate_cli
from .apply import apply_cli
from .assemble import assemble_cli
from .convert import convert_cli
from .decode import decode_cli
from .encode import encode_cli
from .evaluate import evaluate_cli
from .experiment import experiment_cli
from .generate.seeds import seeds_cli
from .generate.sentences import synthesize_cli
from .generate.variants import augment_cli
from .inspect import inspect_cli
from .low_resource import low_resource_cli
from .merge import merge_cli
from .prepare import prepare_cli
from .report import report_cli
from .select.records import select_data_cli
from .select.spans import select_spans_cli
from .train.annotator import finetune_cli
from .train.generator import teach_generator_cli
from .train.selector import train_selector_cli
from .train.spancat import train_cli

app = typer.Typer(name="spacy-bioner", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def about() -> None:
    """Named entities in biomedical text: teach a language model, train a span categorizer."""


app.command("annotate", context_settings=ALLOW_OVERRIDES)(annotate_cli)
app.command("assemble")(assemble_cli)
app.command("apply")(apply_cli)
app.command("augment", context_settings=ALLOW_OVERRIDES)(augment_cli)
app.command("convert")(convert_cli)
app.command("decode")(decode_cli)
app.command("encode")(encode_cli)
app.command("inspect")(inspect_cli)
app.command("evaluate")(evaluate_cli)
app.command("experiment", context_settings=ALLOW_OVERRIDES)(experiment_cli)
app.command("finetune", context_settings=ALLOW_OVERRIDES)(finetune_cli)
app.command("low-resource", context_settings=ALLOW_OVERRIDES)(low_resource_cli)
app.command("merge")(merge_cli)
app.command("prepare")(prepare_cli)
app.command("seeds", context_settings=ALLOW_OVERRIDES)(seeds_cli)
app.command("select-data", context_settings=ALLOW_OVERRIDES)(select_data_cli)
app.command("synthesize", context_settings=ALLOW_OVERRIDES)(synthesize_cli)
app.command("teach-generator", context_settings=ALLOW_OVERRIDES)(teach_generator_cli)
app.command("select-spans")(select_spans_cli)
app.command("train", context_settings=ALLOW_OVERRIDES)(train_cli)
app.command("train-selector", context_settings=ALLOW_OVERRIDES)(train_selector_cli)
app.command("report")(report_cli)


def main() -> None:
    """Run a verb; what a user can mend is one line on standard error and exit code 1."""
    set_thread_defaults()
    try:
        app()
    except BionerError as error:
        print(f"spacy-bioner: {error}", file=sys.stderr)
        sys.exit(1)
    except OSError as error:
        print(f"spacy-bioner: {error.strerror or error}: {error.filename or 'no file named'}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("spacy-bioner: stopped; what was finished is kept, the same command goes on from there", file=sys.stderr)
        sys.exit(130)
