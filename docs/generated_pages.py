"""Parts of the site that are written by the build: what the package itself says of its commands, settings and errors.

A page holds a line such as `<!-- generated: command-line -->`, which `fill_page` replaces.
"""

import ast
import configparser
import inspect
import json
import re
from importlib import import_module
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, List, Sequence, Tuple

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
_MARK = re.compile(r"^<!-- generated: ([\w-]+) -->$", re.MULTILINE)


def fill_page(text: str) -> str:
    """Replace each line that asks for a generated part.

    text (str): Markdown of a page.
    RETURNS (str): The same with the parts.
    """
    return _MARK.sub(lambda mark: PARTS[mark[1]](), text)


def escape(text: str) -> str:
    """Return text as Markdown that shows it unchanged, except that `code` stays code."""
    pieces = re.split(r"(`[^`]+`)", " ".join(text.split()))
    return "".join(piece.replace("|", r"\|") if place % 2 else re.sub(r"([\\`*_{}\[\]<>#|$~])", r"\\\1", piece)
                   for place, piece in enumerate(pieces))


def write_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = ["| " + " | ".join(heads) + " |", "|" + " --- |" * len(heads)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def list_commands() -> Iterator[Tuple[str, Any]]:
    """Yield each verb, such as `train spancat`, with its command, in the order of `--help`."""
    from typer.main import get_command

    from spacy_bioner.cli.main import app

    def walk(command: Any, name: str) -> Iterator[Tuple[str, Any]]:
        for verb, inner in command.commands.items():
            path = f"{name} {verb}".strip()
            if hasattr(inner, "commands"):
                yield from walk(inner, path)
            else:
                yield path, inner

    yield from walk(get_command(app), "")


def write_command_line() -> str:
    """Return a section for each verb: description, usage, arguments and options."""
    parts = []
    for verb, command in list_commands():
        with command.make_context(verb, [], resilient_parsing=True) as context:
            usage = " ".join(command.collect_usage_pieces(context))
        parts += [f"## {verb}", describe_help(command.help or ""), f"```text\nspacy-bioner {verb} {usage}\n```"]
        arguments = [parameter for parameter in command.params if parameter.param_type_name == "argument"]
        options = [parameter for parameter in command.params if parameter.param_type_name == "option"]
        if arguments:
            parts.append(write_table(["argument", "meaning"], (
                [f"`{parameter.metavar or parameter.name}`", escape(parameter.help or "")] for parameter in arguments)))
        if options:
            parts.append(write_table(["option", "meaning", "default"], (
                [", ".join(f"`{name}`" for name in [*parameter.opts, *parameter.secondary_opts]),
                 escape(parameter.help or ""), name_default(parameter)] for parameter in options)))
    return "\n\n".join(parts)


def describe_help(text: str) -> str:
    """Return the help of a verb as Markdown: paragraphs, with its example in a code block."""
    paragraphs = []
    for paragraph in inspect.cleandoc(text.replace("\b", "")).split("\n\n"):
        line = " ".join(paragraph.split())
        if line.startswith("Example: "):
            paragraphs.append("```text\n" + line.removeprefix("Example: ") + "\n```")
        elif line:
            paragraphs.append(escape(line))
    return "\n\n".join(paragraphs)


def name_default(parameter: Any) -> str:
    """Return the default of an option for a table."""
    if parameter.required:
        return "required"
    default = parameter.default
    default = getattr(default, "value", default)
    return "" if default is None or default in ((), [], "") or default is False else f"`{default}`"


_AREAS = {"Llm": "LLM", "Cli": "Command line"}


def write_errors() -> str:
    """Return a table of the messages of each area."""
    from spacy_bioner import errors

    parts = []
    for group, title in ((errors.Errors, "Errors"), (errors.Warnings, "Warnings")):
        parts.append(f"## {title}")
        for area in group.__mro__[1:-1]:
            rows = [[f"`{code}`", escape(message)] for code, message in vars(area).items()
                    if re.fullmatch(r"[EW]\d+", code)]
            if rows:
                name = re.sub(r"(Errors|Warnings)$", "", area.__name__)
                parts += [f"### {_AREAS.get(name, name)}: {title.lower()}", write_table(["code", "message"], rows)]
    return "\n\n".join(parts)


def write_names() -> str:
    """Return a table of the registered names of each registry, from the entry points."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf8")
    parts = []
    for group, lines in config["options.entry_points"].items():
        if group == "console_scripts":
            continue
        rows = [[f"`{name.strip()}`", escape(summarize(place.strip())), f"`{place.strip().replace(':', '.')}`"]
                for name, place in (line.split("=", 1) for line in lines.strip().splitlines())]
        parts += [f"## {group}", write_table(["name", "what it makes", "function"], rows)]
    return "\n\n".join(parts)


def summarize(place: str) -> str:
    """Return the summary line of the docstring of `module:function`, read without importing it."""
    module, _, name = place.partition(":")
    path = ROOT.joinpath(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    for node in ast.walk(ast.parse(path.read_text(encoding="utf8"))):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name == name:
            return (ast.get_docstring(node) or "").split("\n\n")[0]
    raise LookupError(place)


# Section of a config, or name of a component or registered function: the class that declares its settings.
_SETTINGS = {
    "Annotation": [("annotate", "cli.annotate.AnnotateSettings")],
    "Record selection": [("select_data", "finetuning.settings.SelectDataSettings")],
    "Fine-tuning": [("finetune", "finetuning.settings.FinetuneSettings")],
    "Sentence generation": [
        ("seeds", "synthesis.settings.SeedSettings"), ("train", "synthesis.settings.GeneratorSettings"),
        ("prompt", "synthesis.settings.PromptSettings"), ("synthesize", "synthesis.settings.SynthesizeSettings"),
        ("checks", "synthesis.checking.check_settings.SentenceBounds"),
        ("augment", "synthesis.settings.AugmentSettings")],
    "Components": [
        ("llm_bioner", "pipeline.llm_bioner.LLMBioNERSettings"),
        ("bioner_spancat", "pipeline.bioner_spancat.BionerSpancatSettings"),
        ("span_selector", "pipeline.span_selector.SpanSelectorSettings"),
        ("seed_generator", "pipeline.seed_generator.SeedGeneratorSettings"),
        ("concept_linker", "linking.concept_linker.ConceptLinkerSettings")],
    "Models": [
        ("spacy-bioner.CausalLM.v1", "llm.settings.CausalLMSettings"),
        ("spacy-bioner.Server.v1", "llm.settings.ServedModelSettings"),
        ("spacy-bioner.TransformerEncoder.v1", "ml.settings.EncoderSettings"),
        ("spacy-bioner.SpanGrid.v1", "ml.settings.SpanGridSettings"),
        ("spacy-bioner.SpanSelector.v1", "ml.settings.FastSelectorSettings"),
        ("spacy-bioner.MarkedSelector.v1", "ml.settings.MarkedSelectorSettings")],
    "Training data": [
        ("a source of spacy-bioner.MixedCorpus.v1", "training.mixed_corpus.Source"),
        ("a stage of spacy-bioner.MixedCorpus.v1", "training.mixed_corpus.StageSettings"),
        ("a strategy", "training.strategies.Strategy"), ("a stage of a strategy", "training.strategies.StageShare"),
        ("negatives of spacy-bioner.SelectorCorpus.v1", "training.selector.negatives.NegativeSettings")],
}


def write_settings() -> str:
    """Return a table for each group of settings, from their declarations."""
    from spacy_bioner.settings import list_settings

    parts = []
    for title, groups in _SETTINGS.items():
        parts.append(f"## {title}")
        for name, place in groups:
            rows = list_settings(name, find_declaration(place))
            for section in dict.fromkeys(row.section for row in rows):
                parts += [f"### {section}", write_table(["setting", "meaning", "type", "default"], (
                    [f"`{row.name}`", escape(row.meaning), escape(row.type),
                     f"`{row.default}`" if row.default else "required"] for row in rows if row.section == section))]
    return "\n\n".join(parts)


def find_declaration(place: str) -> Any:
    """Return the class at a dotted place of the package."""
    module, _, name = place.rpartition(".")
    return getattr(import_module(f"spacy_bioner.{module}"), name)


def write_api() -> str:
    """Return signature and docstring of each public name."""
    import spacy_bioner

    parts = []
    for name in spacy_bioner.__all__:
        thing = getattr(spacy_bioner, name)
        if callable(thing):
            parts += describe_callable(name, thing, depth=3)
            if inspect.isclass(thing):
                for method, value in vars(thing).items():
                    function = value.__func__ if isinstance(value, (classmethod, staticmethod)) else value
                    if inspect.isfunction(function) and not method.startswith("_") and function.__doc__:
                        parts += describe_callable(f"{name}.{method}", function, depth=4)
    return "\n\n".join(parts)


def describe_callable(name: str, thing: Callable, *, depth: int) -> List[str]:
    """Return heading, signature and docstring as Markdown."""
    signature = re.sub(r"<class '([\w.]+)'>|\b(?:[a-z_]\w*\.)+(?=[A-Z])", r"\1", str(inspect.signature(thing)))
    return [f"{'#' * depth} `{name}`", f"```python\n{name}{signature}\n```", describe_docstring(thing.__doc__ or "")]


def describe_docstring(text: str) -> str:
    """Return a docstring as Markdown: paragraphs, and a list of arguments, results and errors."""
    paragraphs = []
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        lines: List[str] = []
        for line in paragraph.splitlines():
            field = (re.match(r"(\*{0,2}\w+) \((.+?)\): (.*)", line) or
                     re.match(r"(RAISES) (\w+): (.*)", line))
            if field:
                lines.append(f"- **{escape(field[1].capitalize() if field[1].isupper() else field[1])}** "
                             f"({escape(field[2])}): {escape(field[3])}")
            elif lines and lines[-1].startswith("- "):
                lines[-1] += " " + escape(line)
            else:
                lines.append(escape(line))
        paragraphs.append("\n".join(lines))
    return "\n\n".join(paragraphs)


def write_layers() -> str:
    """Return the layers of the package, as the import check reads them."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf8")
    layers = config["importlinter:contract:layers"]["layers"].strip().replace("spacy_bioner.", "")
    return f"```text\n{layers}\n```"


def write_notebook() -> str:
    """Return the notebook as Markdown, with the outputs that are stored in it."""
    parts = []
    for cell in json.loads((DOCS / "tutorial" / "notebook.ipynb").read_text(encoding="utf8"))["cells"]:
        source = "".join(cell["source"])
        parts.append(source if cell["cell_type"] == "markdown" else f"```python\n{source}\n```")
        for output in cell.get("outputs", []):
            data: Dict[str, Any] = output.get("data", {})
            if "text/html" in data:
                parts.append("```{raw} html\n" + "".join(data["text/html"]) + "\n```")
            else:
                parts.append("```text\n" + "".join(output.get("text") or data.get("text/plain", "")).rstrip() + "\n```")
    return "\n\n".join(parts)


PARTS: Dict[str, Callable[[], str]] = {
    "command-line": write_command_line,
    "errors": write_errors,
    "layers": write_layers,
    "names": write_names,
    "settings": write_settings,
    "api": write_api,
    "notebook": write_notebook,
}
