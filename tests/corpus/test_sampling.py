from spacy_bioner.annotation import Annotation
from spacy_bioner.corpus.sampling import draw_sample

RECORDS = [Annotation(f"text {number}", id=str(number)) for number in range(1000)]


def test_same_seed_same_sample_in_the_order_of_the_input():
    sample = draw_sample(iter(RECORDS), 50, seed=1)
    assert sample == draw_sample(RECORDS, 50, seed=1)
    assert [int(one.id) for one in sample] == sorted(int(one.id) for one in sample)
    assert sample != draw_sample(RECORDS, 50, seed=2)


def test_smaller_samples_are_parts_of_larger_ones_and_the_order_does_not_matter():
    small, large = draw_sample(RECORDS, 50, seed=1), draw_sample(RECORDS[::-1], 200, seed=1)
    assert {one.id for one in small} < {one.id for one in large}


def test_all_are_chosen_where_there_are_no_more():
    assert draw_sample(RECORDS[:3], 5, seed=0) == RECORDS[:3]


def test_every_record_has_the_same_chance():
    drawn = [int(one.id) for seed in range(40) for one in draw_sample(RECORDS, 50, seed=seed)]
    assert 450 < sum(drawn) / len(drawn) < 550
    assert len(set(drawn)) > 800
