"""Other contexts round the mentions of gold sentences: which seeds are asked for."""

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.llm.base import Reply
from spacy_bioner.llm.runner import Runner
from spacy_bioner.synthesis.check_settings import CheckSettings
from spacy_bioner.synthesis.checks import SentenceChecks
from spacy_bioner.synthesis.prompts import SeedPrompt
from spacy_bioner.synthesis.rewriting import rewrite_contexts
from spacy_bioner.synthesis.sentences import SentenceWriter


class TagsAll:
    """Writes a sentence with each seed in its tag, and keeps the seeds that it was asked for."""

    context_length = 1000

    def __init__(self):
        self.asked = []

    def identity(self):
        return {"model": "recorded"}

    def count_tokens(self, text):
        return len(text.split())

    def generate(self, requests):
        for index, request in enumerate(requests):
            self.asked.append(request.seeds)
            tags = " and ".join(f"<{label}>{text}</{label}>" for text, label in request.seeds)
            yield index, Reply(text=f"<start_sentence>In sample {request.sample} we saw {tags} again.</end_sentence>")


def test_a_name_with_two_labels_is_asked_for_with_each_but_never_with_both_at_once():
    gold = Annotation("The p53 of the tumour encodes p53.", (Mention(4, 7, "GENE"), Mention(30, 33, "PROTEIN")), id="g")
    model = TagsAll()
    writer = SentenceWriter(Runner(model), SeedPrompt({"GENE": "genes", "PROTEIN": "proteins"}),
                            SentenceChecks(CheckSettings(similarity=1)))
    made = list(rewrite_contexts([gold], writer, copies=20, max_seeds=3, seed=0))
    assert set(model.asked) == {(("p53", "GENE"),), (("p53", "PROTEIN"),)}
    assert len(made) == 20 and {mention.label for sentence in made for mention in sentence.mentions} == {
        "GENE", "PROTEIN"}
