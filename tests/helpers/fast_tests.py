"""The tests of `make test-fast`: for each package those that say most for the least processor time.

`python tests/helpers/fast_tests.py` prints their paths. `tests/test_fast_tests.py` checks that each package has some.
"""

from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
FAST = (
    "test_architecture.py test_errors.py test_files.py test_loading.py test_temporaries.py test_fast_tests.py",
    "formats/test_bioc.py formats/test_brat.py formats/test_iob.py formats/test_jsonl.py formats/test_pubtator.py "
    "formats/test_docbin.py formats/test_hf.py formats/parsing",
    "corpus/test_preparation.py corpus/test_leakage.py corpus/test_sentences.py corpus/test_rules.py "
    "corpus/test_near_duplicates.py corpus/test_sampling.py",
    "codecs/test_round_trips.py codecs/test_worked_cases.py codecs/test_reasoning.py codecs/test_json_keys.py",
    "grounding",
    "prompts/test_build.py prompts/test_examples.py",
    "llm/annotation/test_chunking.py llm/annotation/test_annotator.py llm/annotation/test_request_runner.py "
    "llm/annotation/test_long_sentences.py llm/server/test_exchange.py llm/server/test_parameters.py "
    "llm/decoding/grammars/test_grammars.py llm/test_replay.py llm/local/test_checksums.py",
    "finetuning/test_records.py finetuning/lora/test_checkpoints.py finetuning/lora/test_batching.py "
    "finetuning/selection/test_superfiltering.py finetuning/selection/test_score_file.py",
    "synthesis/test_plan.py synthesis/test_seeds.py synthesis/test_seed_prompt.py synthesis/test_generator_pairs.py "
    "synthesis/checking/test_sentence_checks.py synthesis/augmentation/test_lsms.py",
    "ml/test_calibration.py ml/spans ml/selector/test_prefix_tree.py ml/encoder/test_word_pieces.py",
    "pipeline/test_tuning.py pipeline/test_thresholds.py pipeline/test_overlaps.py pipeline/test_tokenizer.py "
    "pipeline/test_suggesters.py",
    "training/test_config.py training/test_strategies.py training/test_common_words.py training/test_mixed_corpus.py "
    "training/selector/test_negatives.py",
    "merging taggers/test_spacy_tagger.py",
    "linking/test_abbreviations.py linking/test_concept_dictionary.py linking/test_concept_sources.py",
    "packaging/test_hub_header.py packaging/test_model_card.py",
    "evaluation/test_counts.py evaluation/test_error_types.py evaluation/test_metrics.py evaluation/test_slices.py "
    "evaluation/test_pairing.py evaluation/test_scorers.py",
    "report/test_contents.py report/test_page.py report/test_text_lines.py report/test_document_browser.py",
    "experiments/test_steps.py experiments/test_expansion.py experiments/test_measurement.py "
    "experiments/test_table_figures.py",
    "scale/test_manifest.py scale/test_shards.py serving/test_app.py",
    "review/test_corrections.py review/test_decisions.py review/test_gold_audit.py review/test_queueing.py "
    "review/test_ranking.py",
    "workflow",
    "cli/test_run.py cli/test_main.py cli/test_help.py cli/test_merge.py cli/test_decode_encode.py "
    "cli/_shared/test_settings.py cli/_shared/test_schema.py",
)


def list_fast_tests() -> list[Path]:
    """Return files and folders of tests."""
    return [TESTS / name for names in FAST for name in names.split()]


if __name__ == "__main__":
    print(*list_fast_tests())
