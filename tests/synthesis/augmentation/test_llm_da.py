"""Other contexts round the mentions of gold sentences: which seeds are asked for; other names: which are taken."""

import pytest

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.llm.annotation.request_runner import Runner
from spacy_bioner.llm.protocol import Reply
from spacy_bioner.synthesis.augmentation.edits import Edit
from spacy_bioner.synthesis.augmentation.llm_da import NamePrompt, propose_names, read_names, rewrite_contexts
from spacy_bioner.synthesis.augmentation.material import Material
from spacy_bioner.synthesis.checking.check_settings import CheckSettings
from spacy_bioner.synthesis.checking.sentence_checks import SentenceChecks
from spacy_bioner.synthesis.seed_prompt import SeedPrompt
from spacy_bioner.synthesis.writer import SentenceWriter


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


class SaysNames:
    """Answers each request alike."""

    context_length = 1000

    def __init__(self, text, finish_reason):
        self.reply = Reply(text=text, finish_reason=finish_reason)

    def identity(self):
        return {"model": "recorded"}

    def generate(self, requests):
        for index, _ in enumerate(requests):
            yield index, self.reply


@pytest.mark.parametrize("text, finish_reason, names", [
    pytest.param("- asthma\n- rheumatoid arth", "length", ["asthma"], id="cut-in-a-name"),
    pytest.param("- asthma\n- rheumatoid\n", "length", ["asthma", "rheumatoid"], id="cut-after-a-line"),
    pytest.param("- asth", "length", [], id="cut-in-the-only-name"),
    pytest.param("", "length", [], id="cut-before-a-name"),
    pytest.param("- asthma\n- rheumatism", "stop", ["asthma", "rheumatism"], id="whole"),
])
def test_a_name_that_the_length_limit_has_cut_is_not_taken(text, finish_reason, names):
    gout = Edit(0, 0, "gout", (Mention(0, 4, "DISEASE"),))
    found = propose_names(Material({"DISEASE": [gout]}, {}), Runner(SaysNames(text, finish_reason)),
                          NamePrompt({"DISEASE": "diseases"}), rounds=1, shown=1, seed=0)
    assert [edit.text for edit in found.mentions.get("DISEASE", [])] == names


def test_names_come_without_the_marks_around_them():
    answer = '1. **Aspirin**\n2. **Ibuprofen** - an NSAID\n* `naproxen`\n"heparin"\n- 5-FU\n* penicillin G'
    assert read_names(answer) == ["Aspirin", "Ibuprofen", "naproxen", "heparin", "5-FU", "penicillin G"]


def test_names_of_a_chinese_list_come_without_its_marks():
    answer = ("以下是新的疾病名称：\n1、糖尿病\n2．高血压；\n3）冠心病\n（4）哮喘\n① 肺炎\n“痛风”\n5. 肝炎？\n"
              "- 《白喉》：传染病\n一、贫血\n十二指肠溃疡\n这些都是疾病。\n好的！")
    assert read_names(answer) == ["糖尿病", "高血压", "冠心病", "哮喘", "肺炎", "痛风", "白喉", "贫血", "十二指肠溃疡"]
