"""The verb init: a folder with the workflow, its configs and a corpus, ready to run."""

import re
import shutil
import sys
from enum import Enum
from pathlib import Path
from typing import Any, List, Mapping, Optional

import typer

from ..corpus.importing import ImportedCorpus, import_corpus
from ..errors import BionerError, Errors
from ..files import fill_folder, open_atomic, write_json_lines
from ..project_files import find_project_file, project_folder
from ._shared.schema import Schema, read_schema
from ._shared.verb_command import VerbCommand
from .convert import print_problems

CORPORA = Path("assets") / "corpora"
EMBEDDED = {"en": "embedded", "zh": "embedded_zh"}
# Shipped folders that a project gets whole; the verbs find what it does not have among those of the package.
_FOLDERS = (Path("configs"), Path("assets/labels"), Path("assets/published"))
README = """# {name}

A project of spacy-bioner: fine-tune a language model on a few annotated sentences, let it annotate raw text, and train
a small spaCy pipeline on the result.

{corpus}

```
spacy-bioner run smoke             # the whole workflow on a few sentences, to see that it works
spacy-bioner run                   # the whole workflow
spacy-bioner report metrics/{run} --show
```

The report is `metrics/{run}/report.html`, the pipeline a wheel below `packages`. What can be set stands at the top
of `project.yml`; `spacy-bioner run --seed 2` sets a variable for one run.
"""
_OWN = """The corpus lies in `assets/corpora/{name}`: train, dev and test as JSON Lines, and the labels in `labels.yml`.
Give each label a definition there: the language model reads it. Put texts without annotation, as many as you have, into
a folder `raw` beside them, one .txt file a document, or into `raw.txt`, a document a line. All that is there is taken,
each text once."""
_EMBEDDED = """The corpus is the embedded one, in `assets/corpora/{name}`.
For your own corpus run `spacy-bioner init DIR --from FILES`."""
_LABELS_HEAD = """# The labels of the corpus. Define each label in a few words: the language model reads it.
# Beside each stands how often it occurs in the training set, and its most frequent names.
corpus: {corpus}
lang: {lang}
license: null  # licence of the corpus, for the model card
labels:
"""


class Language(str, Enum):
    """Language of the texts."""

    en = "en"
    zh = "zh"


class SpreadCommand(VerbCommand):
    """Take several files behind one --from."""

    def parse_args(self, ctx: Any, args: List[str]) -> List[str]:
        spread: List[str] = []
        inside = False
        for place, argument in enumerate(args):
            if inside and not argument.startswith("-"):
                spread += ["--from", argument]
                continue
            inside = argument == "--from"
            if not inside:
                spread.append(argument)
            elif (args[place + 1:] or ["-"])[0].startswith("-"):
                raise typer.BadParameter("it requires an argument", ctx, param_hint="'--from'")
        return super().parse_args(ctx, spread)


def init_cli(
    folder: Path = typer.Argument(..., metavar="DIR", help="Folder of the project: a new or an empty one."),
    lang: Language = typer.Option(Language.en, help="Language of the texts."),
    from_: List[Path] = typer.Option([], "--from", metavar="FILES...", help="Files of your corpus, in any format that "
                                     "`convert` reads, and raw text: .txt files with a document a line, or folders "
                                     "with a .txt file a document. Files named train, dev, test or raw are these "
                                     "parts; other documents are divided."),
    labels: Optional[Path] = typer.Option(None, help="Label schema (YAML) of the corpus; without it one is written "
                                                     "with the labels that occur, for you to define."),
    seed: int = typer.Option(0, min=0, help="Random seed of the division into train, dev and test."),
) -> None:
    """Write a project for your own corpus: the workflow, its configs, the corpus, its labels and a README.

    Without --from the project holds the embedded corpus. A folder that holds something is refused.

    Example: spacy-bioner init mine --from notes-brat raw.txt

    Writes the folder DIR.
    """
    name = init(folder, lang=lang.value, sources=from_, labels=labels, seed=seed)
    define = f"\n  write definitions into {CORPORA / name / 'labels.yml'}" if from_ and labels is None else ""
    first = "smoke" if (folder / CORPORA / name / "train.jsonl").is_file() else "distil --teacher teacher.cfg"
    print(f"Project written to {folder}, with the corpus '{name}'. Next:\n  cd {folder}{define}\n"
          f"  spacy-bioner run {first}", file=sys.stderr)


def init(folder: Path, *, lang: str = "en", sources: List[Path], labels: Optional[Path] = None, seed: int = 0) -> str:
    """Write a project.

    folder (Path): A new or an empty folder.
    lang (str): Language of the texts.
    sources (List[Path]): Files of a corpus; without any the embedded one is taken.
    labels (Optional[Path]): Label schema of the corpus.
    seed (int): Random seed of the division into train, dev and test.
    RETURNS (str): Name of the corpus in the project.
    RAISES BionerError: E739 for a folder that holds something, E730 for labels without a corpus, E738 where they are of
        another language, and those of `import_corpus`.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BionerError(Errors.E739.format(path=folder))
    if labels is not None and not sources:
        raise BionerError(Errors.E730.format(option="--labels", why="no --from is given"))
    if not sources:
        fill_folder(folder, lambda target: write_project(target, EMBEDDED[lang], lang=lang,
                                                         title=folder.resolve().name))
        return EMBEDDED[lang]
    labels = find_project_file(labels) if labels is not None else None
    schema = read_schema(labels) if labels is not None else None
    if schema is not None and schema.lang != lang:
        raise BionerError(Errors.E738.format(path=labels, found=schema.lang, wanted=lang))
    name = corpus_name(folder)
    imported = import_corpus(sources, corpus=name, lang=lang, seed=seed, labels=schema.labels if schema else None,
                             schema=str(labels))
    if not imported.label_examples() and (labels is None or set(imported.parts) != {"raw"}):
        raise BionerError(Errors.E045.format(paths=", ".join(map(str, sources))))
    print_problems(imported.problems, title="Left out or changed")
    fill_folder(folder, lambda target: write_project(target, name, lang=lang, title=folder.resolve().name,
                                                     imported=imported, labels=labels, schema=schema))
    for part, records in imported.parts.items():
        mentions = sum(len(record.mentions) for record in records)
        print(f"{part}: {len(records)} documents, {mentions} mentions", file=sys.stderr)
    return name


def corpus_name(folder: Path) -> str:
    """Name a corpus after its project folder, by a name that a Python package can have.

    folder (Path): The folder of the project.
    RETURNS (str): The name.
    """
    name = re.sub(r"\W+", "_", folder.resolve().name.lower(), flags=re.ASCII).strip("_")
    return name if name and name not in EMBEDDED.values() else "own"


def write_project(target: Path, name: str, *, lang: str, title: str, imported: Optional[ImportedCorpus] = None,
                  labels: Optional[Path] = None, schema: Optional[Schema] = None) -> None:
    """Write the files of a project.

    target (Path): The folder.
    name (str): Name of the corpus.
    lang (str): Language of the texts.
    title (str): Heading of its README.
    imported (Optional[ImportedCorpus]): The corpus; None copies the embedded one of that name.
    labels (Optional[Path]): Label schema, which is copied.
    schema (Optional[Schema]): What it says.
    """
    shipped = project_folder()
    for path in (*_FOLDERS, *([CORPORA / name] if imported is None else [])):
        shutil.copytree(shipped / path, target / path)
    # Of train documents that stand in dev or test too, those that were divided here are no one's mistake.
    changed = {"corpus": name, "lang": lang, **({"leaks": "drop"} if imported is not None and imported.split else {})}
    text = set_variables((shipped / "project.yml").read_text(encoding="utf8"), changed)
    _write(target / "project.yml", text)
    profile = re.search(r"(?m)^  profile: *(\S+)", text)[1]  # type: ignore[index]
    about = (_EMBEDDED if imported is None else _OWN).format(name=name)
    _write(target / "README.md", README.format(name=title, corpus=about, run=f"{name}-{profile}-1"))
    if imported is None:
        return
    corpus = target / CORPORA / name
    for part, records in imported.parts.items():
        if records:
            write_json_lines(corpus / f"{part}.jsonl", (record.to_record() for record in records))
    if labels is not None:
        shutil.copyfile(labels, corpus / "labels.yml")
    else:
        _write(corpus / "labels.yml", describe_labels(imported, name, lang))


def set_variables(text: str, variables: Mapping[str, str]) -> str:
    """Change variables of a workflow.

    text (str): Content of project.yml; comments stay as they are.
    variables (Mapping[str, str]): Name to value.
    RETURNS (str): The changed content.
    """
    for name, value in variables.items():
        text, count = re.subn(rf"(?m)^(  {name}: *)\S+", rf"\g<1>{value}", text, count=1)
        assert count == 1, f"project.yml has a variable {name}"
    return text


def describe_labels(imported: ImportedCorpus, corpus: str, lang: str) -> str:
    """Write a label schema for the labels that occur in train, without definitions.

    imported (ImportedCorpus): The corpus.
    corpus (str): Its name.
    lang (str): Its language.
    RETURNS (str): YAML, with the most frequent names of each label as comments.
    """
    import srsly

    lines = []
    for label, (count, names) in imported.label_examples().items():
        key = srsly.yaml_dumps({label: ""}).rsplit(":", 1)[0].strip()
        examples = "; ".join(name for name in names if name.isprintable())
        lines.append(f'  {key}: ""  # {count} mentions, such as {examples}\n')
    return _LABELS_HEAD.format(corpus=corpus, lang=lang) + "".join(lines)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open_atomic(path) as file_:
        file_.write(text)
