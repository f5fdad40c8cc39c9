"""Grounded decoders over tiny models, and texts that are hard to copy."""

import random

from spacy_bioner.codecs import make_codec
from spacy_bioner.llm.decoding.grounded import GroundedDecoder
from spacy_bioner.llm.protocol import Request
from spacy_bioner.prompts.build import PromptBuilder

LABELS = {"DISEASE": "illnesses", "GENE": ""}
WORDS = ("copper toxicosis BRCA1 gene ( ) [ ] [ ] p < 0.05 > A>G - cancer cancer 铜 中毒 [3H]dopamine [1] <GENE: "
         '</GENE " \\ a').split()


def random_text(chance: random.Random, most: int = 9) -> str:
    """Return words with and without white space between them, among them brackets, tags, quotes, Chinese."""
    count = chance.randint(0, most)
    words = (chance.choice(["", " ", " ", " ", "  ", "\n"]) + chance.choice(WORDS) for _ in range(count))
    return "".join(words) + chance.choice(["", "", "\n "])


def make_decoder(lm, name, options, **settings):
    """Return a decoder that answers in a format, and what makes a request of a text."""
    codec = make_codec(name, **options)
    builder = PromptBuilder(template="annotate.en", labels=LABELS, codec=codec)
    decoder = GroundedDecoder(lm, codec=codec, labels=LABELS, **settings)
    return decoder, lambda text: Request(builder.render(text), text=text)
