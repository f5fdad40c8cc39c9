"""The one prompt, used in fine-tuning and in annotation alike."""

import hashlib
import json
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ..codecs.base import Codec, label_definitions
from ..codecs.checks import check_readable
from ..errors import BionerError, Errors
from .bounded_templates import compile_template, render_blocks
from .examples import gives_away


@dataclass(frozen=True)
class Prompt:
    """A rendered prompt, split where the part that all documents share ends.

    system (str): Role and task; the same for all documents of a run.
    user (str): Task text and the document.
    prefix_length (int): Characters of `plain` that do not depend on the document.
    """

    system: str
    user: str
    prefix_length: int = 0

    @property
    def plain(self) -> str:
        """Return the prompt without chat markup, the answer to follow directly."""
        return f"{self.system}\n\n{self.user}" if self.system else self.user

    @property
    def messages(self) -> List[Dict[str, str]]:
        """Return the prompt as chat messages."""
        system = [{"role": "system", "content": self.system}] if self.system else []
        return [*system, {"role": "user", "content": self.user}]


def read_template(name: str) -> str:
    """Find a template by name or by path.

    name (str): Name of a template of this package ("annotate.en"), or the path of a Jinja file.
    RETURNS (str): Its text.
    RAISES BionerError: E102 where there is neither.
    """
    folder = resources.files("spacy_bioner.prompts") / "templates"
    packaged = folder / f"{name}.jinja"
    if packaged.is_file():
        return packaged.read_text(encoding="utf8")
    if Path(name).is_file():
        return Path(name).read_text(encoding="utf8")
    known = sorted(item.name[:-len(".jinja")] for item in folder.iterdir() if item.name.endswith(".jinja"))
    raise BionerError(Errors.E102.format(name=name, known=", ".join(known)))


class PromptBuilder:
    """Renders the prompt of a text.

    template (str): Name or path of a Jinja template with a `system` and a `user` block, see `templates/`.
    labels (Mapping[str, str]): Label to definition, possibly empty.
    codec (Codec): The format of the answer.
    corpus (str): Name of the corpus whose guideline the model should follow, or empty.
    lang (str): "en" or "zh".
    examples (Sequence[Tuple[str, str]]): Few-shot examples as (text, answer).
    source (Optional[str]): The template's text, where it is kept elsewhere (with an adapter) and not read by name.
    """

    def __init__(self, *, template: str, labels: Mapping[str, str], codec: Codec, corpus: str = "",
                 lang: str = "en", examples: Sequence[Tuple[str, str]] = (),
                 source: Optional[str] = None) -> None:
        if not labels:
            raise BionerError(Errors.E103)
        check_readable(codec, list(labels))
        self.template_name = template
        self.source = read_template(template) if source is None else source
        self.labels = dict(labels)
        self.codec = codec
        self.corpus = corpus
        self.lang = lang
        self.examples = tuple(examples)
        self._template = compile_template(self.source, name=template)

    def render(self, text: str, *, examples: Sequence[Tuple[str, str]] = ()) -> Prompt:
        """Render the prompt of a text.

        text (str): The document or sentence; taken as data, whatever it holds.
        examples (Sequence[Tuple[str, str]]): Examples chosen for this text; the fixed ones where none are given.
        RETURNS (Prompt): The prompt.
        RAISES BionerError: E104 where the template fails.
        """
        variables = dict(
            labels=self.labels, label_names=list(self.labels), definitions=label_definitions(self.labels),
            format=self.codec.describe(list(self.labels), lang=self.lang), corpus=self.corpus, lang=self.lang,
            examples=list(examples or [each for each in self.examples if not gives_away(each[0], text)]), text=text,
        )
        blocks = render_blocks(self._template, variables, name=self.template_name)
        prompt = Prompt(system=blocks.get("system", ""), user=blocks.get("user", ""))
        if text not in prompt.user:
            raise BionerError(Errors.E104.format(name=self.template_name, why="its user block does not hold the text"))
        # Examples chosen for one text end what all prompts share where they begin.
        shared = prompt.plain.rfind(text) if not examples else prompt.plain.find(examples[0][0])
        return Prompt(prompt.system, prompt.user, prefix_length=max(shared, 0))

    def with_labels(self, labels: Mapping[str, str]) -> "PromptBuilder":
        """Return the same prompts for other labels."""
        return PromptBuilder(template=self.template_name, labels=labels, codec=self.codec, corpus=self.corpus,
                             lang=self.lang, examples=self.examples, source=self.source)

    def settings(self) -> Dict[str, Any]:
        """Return all that the prompt depends on beside the text; kept with adapters."""
        return {"template": self.template_name, "source": self.source, "labels": self.labels,
                "codec": self.codec.settings(), "corpus": self.corpus, "lang": self.lang,
                "examples": [list(example) for example in self.examples]}

    @property
    def hash(self) -> str:
        """Return a short hash of the settings."""
        # Sorting the keys must not hide the order of the labels, which the prompt follows.
        settings = {**self.settings(), "labels": list(self.labels.items())}
        text = json.dumps(settings, ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(text.encode("utf8", "surrogatepass")).hexdigest()[:16]
