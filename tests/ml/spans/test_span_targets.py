import numpy
import pytest
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab

from spacy_bioner.formats.docbin import build_doc
from spacy_bioner.ml.spans.span_targets import DOUBTFUL_KEY, Target, find_target, grid_loss

LABELS = {"GENE": 0, "CELL": 1}


def make_example(vocab):
    text = "the HLA-DR gene of T cells"
    reference = build_doc(vocab, text)
    reference.spans["sc"] = [reference[1:5], reference[6:8]]
    reference.spans["sc"] = [reference.char_span(4, 15, label="GENE"), reference.char_span(4, 10, label="GENE"),
                             reference.char_span(19, 26, label="CELL")]
    return Example(build_doc(vocab, text), reference)


def test_target_holds_nested_spans_with_full_weight():
    target = find_target(make_example(Vocab()), "sc", LABELS)
    assert sorted(target.spans) == [(1, 4, 0, 1.0), (1, 5, 0, 1.0), (6, 8, 1, 1.0)]
    assert target.length == 8


def test_weights_count_and_missing_ones_count_in_full():
    example = make_example(Vocab())
    example.reference.spans["sc"].attrs["weights"] = numpy.asarray([0.5, numpy.nan, 0.25])
    assert sorted(span[3] for span in find_target(example, "sc", LABELS).spans) == [0.25, 0.5, 1.0]


def test_scores_that_nobody_made_weights_do_not_count():
    example = make_example(Vocab())
    example.reference.spans["sc"].attrs["scores"] = numpy.asarray([0.5, 0.1, 0.25])
    assert {span[3] for span in find_target(example, "sc", LABELS).spans} == {1.0}


def test_doubtful_regions_are_read():
    example = make_example(Vocab())
    text = example.reference.text
    example.reference.user_data[DOUBTFUL_KEY] = [(text.index("of"), text.index("of") + 2), (text.index("LA"), 7)]
    assert find_target(example, "sc", LABELS).doubtful == [(5, 6), (1, 2)]


def test_a_coarser_tokenizer_loses_what_it_cannot_reach():
    vocab = Vocab()
    reference = make_example(vocab).reference
    predicted = Doc(vocab, words=["the", "HLA-DR gene", "of", "T", "cells"])
    assert find_target(Example(predicted, reference), "sc", LABELS).spans == [(1, 2, 0, 1.0), (3, 5, 1, 1.0)]


def test_labels_that_a_text_was_not_annotated_with_have_no_loss():
    example = make_example(Vocab())
    example.reference.spans["sc"].attrs["annotated"] = ["CELL", "DISEASE"]
    target = find_target(example, "sc", {**LABELS, "DISEASE": 2})
    _, gradient = grid_loss(numpy.zeros((8, 3, 3), dtype="float32"), [target])
    assert target.annotated == [1, 2]
    assert (gradient[0] != 0).any(axis=0).tolist() == [False, True, True]


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_gradient_is_that_of_the_loss(smoothing):
    chance = numpy.random.default_rng(0)
    logits = chance.normal(size=(5, 3, 2)).astype("float32")
    targets = [Target(3, [(0, 2, 1, 1.0), (1, 2, 0, 0.5)]), Target(2, [(0, 1, 0, 1.0)], [(1, 2)])]
    _, gradient = grid_loss(logits, targets, label_smoothing=smoothing)
    step = 1e-2
    for place in [(0, 0, 0), (0, 1, 1), (1, 0, 0), (3, 0, 0), (2, 2, 0), (4, 0, 1)]:
        up, down = logits.copy(), logits.copy()
        up[place] += step
        down[place] -= step
        slope = (grid_loss(up, targets, label_smoothing=smoothing)[0]
                 - grid_loss(down, targets, label_smoothing=smoothing)[0]) / (2 * step)
        assert gradient[place] == pytest.approx(slope, abs=1e-3)


def test_spans_over_the_end_of_a_document_and_doubtful_ones_have_no_loss():
    _, gradient = grid_loss(numpy.zeros((5, 3, 1), dtype="float32"),
                            [Target(3, []), Target(2, [(0, 1, 0, 1.0)], [(1, 2)])])
    trained = [[bool(cell) for cell in row[:, 0]] for row in gradient]
    assert trained == [[True] * 3, [True, True, False], [True, False, False], [True, False, False], [False] * 3]


def test_a_mention_counts_though_a_doubtful_region_touches_it():
    _, gradient = grid_loss(numpy.zeros((2, 2, 1), dtype="float32"), [Target(2, [(0, 2, 0, 1.0)], [(1, 2)])])
    assert gradient[0, 1, 0] < 0 and gradient[0, 0, 0] > 0 and not gradient[1].any()


def test_a_gold_span_over_the_length_limit_is_passed_over():
    loss, gradient = grid_loss(numpy.full((4, 2, 1), -9, dtype="float32"), [Target(4, [(0, 4, 0, 1.0)])])
    assert loss < 0.01 and not (gradient < 0).any()
