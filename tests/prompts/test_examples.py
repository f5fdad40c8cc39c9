"""Few-shot examples: proven against their codec when loaded, chosen by their words."""

import pytest

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.codecs import make_codec
from spacy_bioner.errors import BionerError
from spacy_bioner.prompts.build import PromptBuilder
from spacy_bioner.prompts.examples import ExampleChooser, gives_away, write_examples

GOOD = Annotation("breast cancer", (Mention(0, 13, "DISEASE"), Mention(0, 6, "BODY")), id="good")


def write(*annotations, codec="bracket", labels=("DISEASE", "BODY")):
    return write_examples(annotations, codec=make_codec(codec), labels=list(labels))


@pytest.mark.parametrize("codec", ["bracket", "html", "json"])
def test_examples_are_written_as_answers(codec):
    [(text, answer)] = write(GOOD, codec=codec)
    assert text == "breast cancer"
    assert make_codec(codec).decode(text, ["DISEASE", "BODY"], answer).mentions == GOOD.mentions


@pytest.mark.parametrize("annotation, message", [
    pytest.param(GOOD.with_meta(split="test"), "belongs to split 'test'", id="held-out"),
    pytest.param(Annotation("flu", (Mention(0, 3, "OTHER"),), id="x"), "'x' has the label 'OTHER'", id="label"),
    pytest.param(Annotation("a b c", (Mention(0, 3, "BODY"), Mention(2, 5, "BODY")), id="x"), "cannot be written",
                 id="crossing"),
])
def test_example_that_cannot_serve_is_an_error(annotation, message):
    with pytest.raises(BionerError, match=message):
        write(GOOD, annotation)


def test_most_similar_examples_are_chosen_nearest_last_and_never_the_text_itself():
    chooser = ExampleChooser([("flu in children", "1"), ("aspirin in adults", "2"), ("the flu in adults", "3"),
                              ("flu in adults", "4")], count=2)
    assert [answer for _, answer in chooser.choose("flu in adults")] in (["1", "3"], ["2", "3"])
    assert chooser.choose("flu in adults\n")[-1] == ("the flu in adults", "3")


def test_longest_examples_measure_the_room():
    chooser = ExampleChooser([("a", "1"), ("a longer one", "2"), ("mid", "3")], count=2)
    assert [answer for _, answer in chooser.longest] == ["2", "3"]


@pytest.mark.parametrize("example, text, gives", [
    pytest.param("Aspirin helps in gout of the foot.", "Aspirin helps in gout of the foot.", True, id="itself"),
    pytest.param("aspirin  helps in gout of the FOOT.", "Aspirin helps in gout of the foot.", True, id="spelling"),
    pytest.param("So. Aspirin helps in gout of the foot.", "Aspirin helps in gout of the foot.", True, id="document"),
    pytest.param("Aspirin helps in gout of the foot.", "So. Aspirin helps in gout of the foot.", True, id="sentence"),
    pytest.param("Methods.", "Methods. We gave aspirin to all of them.", False, id="heading"),
    pytest.param("Aspirin helps in gout of the hand.", "Aspirin helps in gout of the foot.", False, id="another"),
])
def test_an_example_that_holds_the_text_is_never_shown(example, text, gives):
    assert gives_away(example, text) is gives
    other = ("Heparin was given to some of them.", "1")
    chosen = ExampleChooser([(example, "2"), other], count=1).choose(text)
    assert (example, "2") not in chosen if gives else len(chosen) == 1
    builder = PromptBuilder(labels={"DISEASE": ""}, codec=make_codec("html"), template="annotate.en",
                            examples=[(example, "ANSWER-2"), other])
    assert ("ANSWER-2" in builder.render(text).plain) is not gives
