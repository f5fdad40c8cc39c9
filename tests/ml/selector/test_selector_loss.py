import numpy
import pytest

from spacy_bioner.ml.selector.selector_loss import candidate_loss

VALID = [True, False, False, True, False]
GROUPS = [(0, 0), (0, 0), None, (1, 0), (1, 0)]


@pytest.mark.parametrize("contrast", [0.0, 0.7])
def test_gradient_is_that_of_the_loss(contrast):
    logits = numpy.asarray([0.3, -0.2, 1.0, 0.1, 0.8])
    _, gradient = candidate_loss(logits, VALID, GROUPS, contrast=contrast)
    for place in range(5):
        step = numpy.zeros(5)
        step[place] = 1e-4
        up, down = (candidate_loss(logits + sign * step, VALID, GROUPS, contrast=contrast)[0] for sign in (1, -1))
        assert gradient[place] == pytest.approx((up - down) / 2e-4, abs=1e-4)


def test_contrast_prefers_the_gold_mention_over_its_own_negatives():
    near = candidate_loss(numpy.asarray([2.0, 1.0]), [True, False], [(0, 0), (0, 0)], contrast=1.0)[0]
    far = candidate_loss(numpy.asarray([2.0, 1.0]), [True, False], [(0, 0), None], contrast=1.0)[0]
    assert near > far


def test_candidates_without_groups_are_only_judged_alone():
    assert candidate_loss(numpy.zeros(2), [True, False], [], contrast=1.0)[0] == pytest.approx(numpy.log(2))
