import pytest

from spacy_bioner.annotation import Mention
from spacy_bioner.errors import BionerError
from spacy_bioner.formats.parsing.problems import Problems
from spacy_bioner.formats.parsing.spans import Stated, ground_mentions

TEXT = "\U0001d6fc-chain and \u03b2-amyloid, p53"


@pytest.mark.parametrize("offsets, kind", [
    pytest.param([(0, 7), (12, 21), (23, 26)], None, id="code-points"),
    pytest.param([(0, 8), (13, 22), (24, 27)], "other_counting", id="utf-16"),
    pytest.param([(0, 10), (15, 25), (27, 30)], "other_counting", id="bytes"),
])
def test_offsets_in_other_units_are_found_out_by_the_surfaces(offsets, kind):
    surfaces = ["\U0001d6fc-chain", "\u03b2-amyloid", "p53"]
    problems = Problems()
    stated = [Stated(start, end, "X", surface, "f, line 1") for (start, end), surface in zip(offsets, surfaces)]
    found = ground_mentions(TEXT, stated, problems=problems)
    assert [TEXT[mention.start:mention.end] for mention in found] == surfaces
    assert problems.counts == ({kind: 1} if kind else {})


@pytest.mark.parametrize("start, end, surface, expected, kind", [
    pytest.param(0, 3, "p53", Mention(0, 3, "X"), None, id="right"),
    pytest.param(0, 3, None, Mention(0, 3, "X"), None, id="no-surface"),
    pytest.param(4, 8, "is a", Mention(4, 8, "X"), None, id="folded-white-space"),
    pytest.param(3, 6, "is ", Mention(4, 6, "X"), "white_space", id="blank-before"),
    pytest.param(2, 5, "p53", Mention(0, 3, "X"), "shifted", id="shifted"),
    pytest.param(17, 21, "gene", Mention(16, 20, "X"), "shifted", id="shifted-over-the-end"),
    pytest.param(0, 3, "gene", None, "surface_differs", id="far-away"),
    pytest.param(3, 4, None, None, "empty", id="blank-only"),
    pytest.param(9, 9, "", None, "empty", id="no-length"),
    pytest.param(18, 30, None, None, "outside_text", id="outside"),
    pytest.param(5, 4, None, None, "outside_text", id="backwards"),
])
def test_what_is_certain_is_mended_and_all_else_left_out(start, end, surface, expected, kind):
    problems = Problems()
    found = ground_mentions("p53 is\na gene or gene", [Stated(start, end, "X", surface, "f")], problems=problems) \
        if kind != "shifted" or start < 10 else \
        ground_mentions("p53 is a proto- gene", [Stated(start, end, "X", surface, "f")], problems=problems)
    assert found == ((expected,) if expected else ())
    assert problems.counts == ({kind: 1} if kind else {})


def test_scores_are_carried_and_repeated_mentions_counted():
    problems = Problems()
    stated = [Stated(0, 1, "X", "a", "f", score=0.5), Stated(0, 1, "X", "a", "f", score=0.7)]
    (mention,) = ground_mentions("a b", stated, problems=problems)
    assert mention.score == 0.5 and problems.counts == {"duplicate": 1}


@pytest.mark.issue(21)
@pytest.mark.parametrize("text, counted, name", [
    pytest.param("\r\n".join(["gout is one"] * 9), "\n".join(["gout is one"] * 9), "code points line ends as one",
                 id="carriage-return-not-counted"),
    pytest.param("\n".join(["gout is one"] * 9), "\r\n".join(["gout is one"] * 9), "code points line ends as two",
                 id="carriage-return-lost"),
    pytest.param("\r\n".join(["\U0001d6fc gout"] * 9), "\n".join(["ab gout"] * 9), "UTF-16 units line ends as one",
                 id="utf-16-too"),
])
def test_line_ends_that_a_tool_counts_otherwise_are_mended_in_the_whole_text(text, counted, name):
    places = [place for place in range(len(counted)) if counted.startswith("gout", place)]
    problems = Problems()
    stated = [Stated(place, place + 4, "X", "gout", "f") for place in places]
    found = ground_mentions(text, stated, problems=problems)
    assert len(found) == 9 and {text[mention.start:mention.end] for mention in found} == {"gout"}
    assert problems.counts == {"other_counting": 1}
    assert problems.examples["other_counting"][0].detail == f"the document counts {name}"
    with pytest.raises(BionerError, match="line ends as"):
        ground_mentions(text, stated, problems=Problems(strict=True))
