"""The documentation is true and plain: its code runs, its commands exist, and its words are those of the glossary."""

import ast
import importlib.util
import io
import json
import re
from contextlib import redirect_stdout
from functools import lru_cache

import pytest
from command_line import all_commands
from doc_snippets import list_command_lines, list_pages, read_snippets
from places import CONFIGS, DOCS, ROOT

from spacy_bioner import errors
from spacy_bioner.config_files import find_config

PACKAGE = ROOT / "spacy_bioner"
COMPONENTS = "reference/components.md"
TRAINING_DATA = "reference/training-data.md"


def number(texts, name):
    return [pytest.param(text, id=f"{name} {place}") for place, text in enumerate(texts, start=1)]


def test_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf8").splitlines()) <= 150


@pytest.mark.parametrize("code", number([*read_snippets(COMPONENTS), *read_snippets("reference/codecs.md"),
                                         *read_snippets("howto/add-a-model.md"),
                                         *read_snippets("howto/add-a-format.md")], "snippet"))
def test_code_runs(code, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "docs", "exec"), {})
    assert capsys.readouterr().out.strip()


def test_a_table_becomes_records(tmp_path, monkeypatch):
    from spacy_bioner.formats.jsonl import read_jsonl

    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.csv").write_text('id,text,start,end,label\na,"Gout, then asthma.",0,4,DISEASE\n'
                                        'a,"Gout, then asthma.",11,17,DISEASE\nb,No fever.,,,\n', encoding="utf8")
    code, = read_snippets("howto/formats.md")
    exec(compile(code, "docs", "exec"), {})
    assert [[record.surface(mention) for mention in record.mentions] for record in read_jsonl("notes.jsonl")] == [
        ["Gout", "asthma"], []]


@pytest.mark.parametrize("text", number([*read_snippets(COMPONENTS, "ini"), *read_snippets(TRAINING_DATA, "ini"),
                                         *read_snippets("howto/few-shot.md", "ini"),
                                         *read_snippets("howto/server.md", "ini")], "config"))
def test_configs_make_what_they_describe(text):
    import spacy
    from spacy import registry
    from thinc.api import Config

    bare = "\n".join(re.sub(r"\s+#.*$", "", line) for line in text.splitlines())
    headers = re.findall(r"^\[(.+)\]$", bare, flags=re.MULTILINE)
    above = dict.fromkeys(".".join(header.split(".")[:depth]) for header in headers
                          for depth in range(1, header.count(".") + 1))
    missing = "".join(f"[{header}]\n" for header in above if header not in headers)
    config = Config().from_str(missing + bare, interpolate=False)
    if "corpora" in config:
        assert callable(registry.resolve(config["corpora"])["train"])
        return
    if "annotate" in config:
        from spacy_bioner.cli.annotate import AnnotateSettings

        assert AnnotateSettings(**{"model": "m", **config["annotate"]})
        return
    for name, settings in config["components"].items():
        nlp = spacy.blank("en")
        nlp.add_pipe(settings.pop("factory", "span_selector"), name=name, config=settings)
        assert nlp.pipe_names == [name]


@pytest.mark.parametrize("text", number(read_snippets("howto/log-training.md", "ini"), "profile"))
def test_logging_profiles_chain_spacys_loggers_behind_the_curve(text, tmp_path):
    (tmp_path / "logger.cfg").write_text(re.sub(r"(?m)^   ", "", text), encoding="utf8")
    config = find_config("spancat", profile=str(tmp_path / "logger.cfg")).read({"paths.curve": "curve.jsonl"})
    logger = config["training"]["logger"]
    assert logger["@loggers"] == "spacy.ChainLogger.v1"
    assert logger["logger1"] == {"@loggers": "spacy-bioner.CurveLogger.v1", "path": "curve.jsonl"}
    from spacy import registry
    assert registry.has("loggers", logger["logger2"]["@loggers"])


def test_notebook_runs_and_shows_spans():
    cells = json.loads((DOCS / "tutorial" / "notebook.ipynb").read_text(encoding="utf8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    names = {}
    printed = io.StringIO()
    with redirect_stdout(printed):
        for place, source in enumerate(code, start=1):
            exec(compile(source, f"notebook.ipynb cell {place}", "exec"), names)
    html = [output["data"]["text/html"] for cell in cells for output in cell.get("outputs", [])
            if "text/html" in output.get("data", {})]
    assert html and all("<div" in "".join(page) for page in html)


COMMANDS = sorted({(page, tuple(words)) for page, words in list_command_lines()
                   if words[:1] == ["spacy-bioner"] or words[:3] == ["python", "-m", "spacy_bioner"]})


def test_the_documentation_shows_commands():
    assert len(COMMANDS) > 60


@pytest.mark.parametrize("page, words", COMMANDS, ids=[f"{page} {' '.join(words)[:60]}" for page, words in COMMANDS])
def test_documented_command_exists(page, words):
    rest = list(words[1:] if words[0] == "spacy-bioner" else words[3:])
    verbs = all_commands()
    if not rest or rest[0] in ("--version", "--help") or rest[0].isupper() or rest[0] == "...":
        return
    verb = " ".join(rest[:2]) if " ".join(rest[:2]) in verbs else rest[0]
    if verb in ("train", "select", "generate") and len(rest) == 1:
        return
    assert verb in verbs, f"{page} names the verb {verb}"
    known = {option for parameter in verbs[verb].params for option in [*parameter.opts, *parameter.secondary_opts]}
    for option in (word.partition("=")[0] for word in rest if re.match(r"--?[a-z]", word)):
        if verb == "run" and option.removeprefix("--").replace("-", "_") in read_variables():
            continue
        section, _, key = option.removeprefix("--").partition(".")
        if key:
            assert is_setting(verb, section, key), f"{page}: {verb} has no setting {option}"
        else:
            assert option in known | {"--help"}, f"{page}: {verb} has no option {option}"


@lru_cache
def read_variables():
    import srsly

    return set(srsly.read_yaml(ROOT / "project.yml")["vars"])


def is_setting(verb, section, key):
    """Return whether a verb knows an override, by the config of its task or by the declaration."""
    if verb == "experiment":
        return section in ("vars", "lists")
    task = {"train annotator": "finetune", "train spancat": "spancat", "train selector": "selector",
            "select records": "select_data"}.get(verb, verb.split()[0] if verb == "annotate" else "generate")
    node = find_config(task).read(interpolate=False).get(section)
    for part in key.split("."):
        if not isinstance(node, dict) or part not in node:
            return f"{section}.{key}" in declared_settings()
        node = node[part]
    return True


@lru_cache
def declared_settings():
    from spacy_bioner.settings import list_settings

    generated = load_generated_pages()
    return {f"{row.section}.{row.name}" for groups in generated._SETTINGS.values() for name, place in groups
            for row in list_settings(name, generated.find_declaration(place))}


def load_generated_pages():
    spec = importlib.util.spec_from_file_location("generated_pages", DOCS / "generated_pages.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("part", ["command-line", "errors", "names", "layers", "settings", "api", "notebook"])
def test_generated_part_holds_what_the_package_has(part):
    text = load_generated_pages().fill_page(f"<!-- generated: {part} -->")
    assert len(text) > 200 and "<!-- generated" not in text


def test_workflow_commands_of_the_documentation_exist():
    import srsly

    project = srsly.read_yaml(ROOT / "project.yml")
    known = {command["name"] for command in project["commands"]} | set(project["workflows"])
    for page, words in list_command_lines():
        if "project" in words[:5] and "run" in words[:6] and "spacy" in words:
            assert words[words.index("run") + 1] in known, f"{page}: {' '.join(words)}"
            unknown = {word[7:] for word in words if word.startswith("--vars.")} - set(project["vars"])
            assert not unknown, f"{page}: {unknown}"


# Words of the glossary's right column that have no other use in these texts.
BANNED = re.compile(r"\b(taught|teach|teaches|teaching|untaught|goes? on where|(?:dev|test|train|training) parts?|"
                    r"updates|plain model|passes over|drawn|tell apart|lying in one another|cannot be told apart|"
                    r"stands above)\b", re.IGNORECASE)


def strip_code(text):
    return re.sub(r"```.*?```|`[^`]*`|--[\w-]+|\]\([^)]*\)|^\[.*\]$|\{\w+\}", "", text, flags=re.DOTALL | re.MULTILINE)


def user_facing_texts():
    for page in list_pages():
        yield page.relative_to(ROOT).as_posix(), page.read_text(encoding="utf8")
    for verb, command in all_commands().items():
        yield f"{verb} --help", "\n".join([command.help or "", *(getattr(parameter, "help", "") or ""
                                                                for parameter in command.params)])
    for group in (errors.Errors, errors.Warnings):
        for area in group.__mro__[1:-1]:
            for code, message in vars(area).items():
                if re.fullmatch(r"[EW]\d+", code):
                    yield code, message
    for path in [*sorted(CONFIGS.rglob("*.*")), ROOT / "project.yml"]:
        lines = path.read_text(encoding="utf8").splitlines()
        comments = [line.split("#", 1)[1] for line in lines if "#" in line]
        # Sections of configs are words of the command line: --train.seed.
        sections = [re.sub(r"[\[\]._]", " ", line) for line in lines if line.startswith("[")]
        yield path.relative_to(ROOT).as_posix(), "\n".join([*comments, *sections])


def test_user_facing_text_uses_the_words_of_the_field():
    found = [f"{name}: {word}" for name, text in user_facing_texts() for word in BANNED.findall(strip_code(text))]
    assert not found


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_docstrings_begin_with_a_summary(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf8"))):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)):
            text = ast.get_docstring(node) or ""
            assert not re.match(r"(RETURNS|YIELDS|RAISES)\b|\w+ \([^)]*\): ", text), f"{path.name}: {node.name}"


@pytest.mark.parametrize("verb", all_commands())
def test_help_describes_shows_an_example_and_names_the_output(verb):
    command = all_commands()[verb]
    assert f"Example: spacy-bioner {verb} " in " ".join(command.help.split())
    assert re.search(r"\b(Writes|Prints) the\b|\bWrites (?:an?|train|table)", command.help)
    if any(parameter.name == "gpu_id" for parameter in command.params):
        assert {getattr(parameter, "rich_help_panel", None) for parameter in command.params} >= {"Running"}


def test_example_of_a_help_is_accepted():
    for verb, command in all_commands().items():
        example = re.search(rf"Example: spacy-bioner {verb} (.*?)\n\n", command.help, re.DOTALL)[1]
        with command.make_context(verb, " ".join(example.split()).split()):
            pass
