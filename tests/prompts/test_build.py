"""Prompts: the same for the same settings, the document as data, templates in a sandbox."""

import pytest

from spacy_bioner.codecs import make_codec
from spacy_bioner.errors import BionerError
from spacy_bioner.prompts.build import PromptBuilder

LABELS = {"DISEASE": "diseases and syndromes", "DRUG": ""}


def make_builder(**options):
    return PromptBuilder(**{"template": "annotate.en", "labels": LABELS, "codec": make_codec("bracket"), **options})


@pytest.mark.parametrize("lang, words", [("en", ["DISEASE: diseases and syndromes", "NCBI", "Text: a flu"]),
                                         ("zh", ["DISEASE: diseases and syndromes", "NCBI", "文本：a flu"])])
def test_prompt_holds_definitions_corpus_and_text(lang, words):
    plain = make_builder(template=f"annotate.{lang}", lang=lang, corpus="NCBI").render("a flu").plain
    assert all(word in plain for word in words)
    assert "\nDRUG\n" in plain, "a label without definition stands alone"


@pytest.mark.parametrize("text", ["{{ labels }}", "{% block user %}", "a\n\nb", "Answer:", "\\n {# #}", "&lt;<b>"])
def test_text_is_data(text):
    prompt = make_builder().render(text)
    assert prompt.user.count(text) >= 1
    assert prompt.plain[prompt.prefix_length:].startswith(text)


def test_what_is_before_the_text_is_shared():
    builder = make_builder(examples=[("a", "b")])
    first, second = builder.render("one"), builder.render("two")
    assert first.plain[:first.prefix_length] == second.plain[:second.prefix_length]


def test_chosen_examples_end_what_is_shared():
    prompt = make_builder().render("one", examples=[("chosen text", "answer")])
    assert prompt.plain[prompt.prefix_length:].startswith("chosen text")


@pytest.mark.parametrize("source, why", [
    pytest.param("{% block user %}{{ text.__class__.__mro__ }}{{ text }}{% endblock %}", "unsafe", id="class-walk"),
    pytest.param("{% block user %}{{ labels.update({}) }}{{ text }}{% endblock %}", "unsafe|not safely", id="changes"),
    pytest.param("{% block user %}{{ cycler.__init__.__globals__ }}{{ text }}{% endblock %}", "unsafe", id="globals"),
    pytest.param("{% block user %}{{ txt }}{% endblock %}", "undefined", id="typo"),
    pytest.param("{% block user %}{% include '/etc/passwd' %}{{ text }}{% endblock %}", "loader", id="include"),
    pytest.param("{% block user %}{{ text }}{{ 1 / 0 }}{% endblock %}", "division", id="arithmetic"),
    pytest.param("{% block user %}{{ range(10 ** 9) }}{{ text }}{% endblock %}", "[Rr]ange", id="endless"),
    pytest.param("{% block user %}{{ text", "unexpected end", id="syntax"),
    pytest.param("{% block user %}no text{% endblock %}", "does not hold the text", id="no-text"),
    pytest.param("{{ text }}", "does not hold the text", id="no-block"),
])
def test_bad_template_is_an_error_with_its_name(tmp_path, source, why):
    path = tmp_path / "mine.jinja"
    path.write_text(source)
    with pytest.raises(BionerError, match=f"(?s)mine.jinja.*({why})"):
        make_builder(template=str(path)).render("a flu")


def test_template_of_the_user_is_taken(tmp_path):
    path = tmp_path / "mine.jinja"
    path.write_text("{% block user %}Find {{ label_names | join(' and ') }} in: {{ text }}{% endblock %}")
    assert make_builder(template=str(path)).render("a flu").plain == "Find DISEASE and DRUG in: a flu"


def test_kept_source_is_taken_before_the_file():
    builder = make_builder(template="gone.jinja", source="{% block user %}{{ text }}!{% endblock %}")
    assert builder.render("a").plain == "a!"
    assert builder.with_labels({"X": ""}).render("a").plain == "a!"


def test_unknown_template_names_the_known_ones():
    with pytest.raises(BionerError, match="annotate.en, annotate.zh"):
        make_builder(template="annotate.fr")


def test_hash_follows_all_settings():
    variants = [{}, {"corpus": "x"}, {"lang": "zh"}, {"labels": {"DISEASE": ""}}, {"codec": make_codec("html")},
                {"examples": [("a", "b")]}, {"labels": dict(reversed(LABELS.items()))}]
    hashes = [make_builder(**variant).hash for variant in variants]
    assert len(set(hashes)) == len(variants)
    assert make_builder().hash == hashes[0]


def test_no_labels_are_an_error():
    with pytest.raises(BionerError, match="at least one"):
        make_builder(labels={})
