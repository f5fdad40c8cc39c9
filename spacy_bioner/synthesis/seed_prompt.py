"""The prompt that asks for a sentence with given entities in it; the same for training and for generating.

Source: GENLLM, domain role, entities with the descriptions of their types, tagging instruction, sentence wrapper.
"""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Dict, Mapping, Sequence, Tuple

from jinja2 import Template

from ..errors import BionerError, Errors
from ..prompts.bounded_templates import compile_template, render_blocks
from ..prompts.build import Prompt, read_template
from .seeds import Seed

VARIANTS = ("simple", "no_new_entity", "chain_of_thought")


@dataclass(frozen=True)
class SeedPrompt:
    """Renders the prompt for a set of seeds.

    labels (Mapping[str, str]): Label to description.
    template (str): Name or path of a Jinja template with the blocks system and user.
    variant (str): "simple", "no_new_entity" (the prompt forbids further entities) or "chain_of_thought".
    domain (str): What the model is an expert in; empty leaves it to the template.
    genre (str): Where the sentence could stand; empty leaves it to the template.
    style_examples (Tuple[str, ...]): Raw sentences of the user's own that show the style.
    source (str): The template's text, where it is kept elsewhere (with an adapter) and not read by name.
    """

    labels: Mapping[str, str]
    template: str = "generate.en"
    variant: str = "simple"
    domain: str = ""
    genre: str = ""
    style_examples: Tuple[str, ...] = ()
    source: str = ""

    def __post_init__(self) -> None:
        check_variant(self.variant)
        if not self.source:
            object.__setattr__(self, "source", read_template(self.template))

    @cached_property
    def _compiled(self) -> Template:
        return compile_template(self.source, name=self.template)

    def render(self, seeds: Sequence[Seed]) -> Prompt:
        """Render the prompt.

        seeds (Sequence[Seed]): The entities that the sentence is to hold.
        RETURNS (Prompt): The prompt; only the types of its seeds are described.
        """
        present = {seed.label: self.labels.get(seed.label, "") for seed in seeds}
        blocks = render_blocks(self._compiled, dict(
            seeds=[(seed.text, seed.label) for seed in seeds], definitions=present, variant=self.variant,
            domain=self.domain, genre=self.genre, style_examples=list(self.style_examples)), name=self.template)
        prompt = Prompt(system=blocks.get("system", ""), user=blocks.get("user", ""))
        return Prompt(prompt.system, prompt.user, prefix_length=len(prompt.plain) - len(prompt.user))

    def card_settings(self) -> Dict[str, Any]:
        """Return what the card of a generator says of its prompts, beside template and labels."""
        return {"variant": self.variant, "domain": self.domain, "genre": self.genre,
                "style_examples": list(self.style_examples)}

    def settings(self) -> Dict[str, Any]:
        """Return all that the prompt depends on beside the seeds."""
        return {"template": self.template, "source": self.source, "labels": dict(self.labels), **self.card_settings()}

    @property
    def hash(self) -> str:
        """Return a short hash of the settings."""
        text = json.dumps(self.settings(), ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(text.encode("utf8", "surrogatepass")).hexdigest()[:16]


def check_variant(variant: str) -> None:
    """Refuse a variant of the prompt that there is not; raises BionerError E408."""
    if variant not in VARIANTS:
        raise BionerError(Errors.E408.format(variant=variant, known=", ".join(VARIANTS)))
