"""Messages of synthesis: codes E4xx, and W4xx for warnings."""


class SynthesisErrors:
    E401 = ("The annotated sentences hold no mention, so there are no seed entities. Give others, or a list of "
            "names.")
    E402 = "{path} holds no seed entity. Write one per line, with the columns text and label."
    E403 = "{path} needs {wanted}."
    E404 = "{path}: the name of a seed list ends in .jsonl, .csv, .tsv, .txt, .obo, or .xml (MeSH descriptors)."
    E405 = "{path} has a seed entity with the label '{label}', which the schema does not know. Known: {known}."
    E406 = "{path} has no term '{root}'. Give the id of a term of this ontology as root."
    E407 = "No seed entities to generate sentences from. Collect seed entities first."
    E408 = "Unknown prompt variant '{variant}'. Known: {known}."
    E409 = "No sentence to train the generator on. Give raw text, or gold sentences with mentions."
    E410 = "Unknown mode '{mode}'. Known: {known}."
    E411 = "The mode 'relabel' needs an annotator. Give the adapter of an annotator, or use the mode 'repair'."
    E412 = ("The model wrote {count} responses in a row without a sentence in <start_sentence> ... </end_sentence>, "
            "most of them {reason}. Train a generator, or use another model. Two of the responses: {examples}")
    E413 = "The length limit cut {count} responses in a row. Raise max_new_tokens. Two of the responses: {examples}"
    E414 = ("The model generated none of the {asked} requested sentences. Most frequent reason: {reason}. The report "
            "has the counts. Use another model, or train a generator.")
    E415 = ("{path} is the plan of a run with other seed entities or settings, so it cannot be resumed. Give another "
            "output, or --overwrite to start over.")
    E416 = "--style is given, but style_examples is 0. Set how many sentences to use: --prompt.style_examples 3."
    E417 = "style_examples is {count}, but there is no text for them. Give raw records with --style."
    E418 = ("Record '{id}' belongs to split '{found}', which is used for evaluation. No model may see it. Give other "
            "raw text{unless}.")
    E419 = "{option} is for {wanted}, and {path} is none. Leave it out."
    E420 = ("{path}: no seed entity is left. {count} names are longer than {max_length} characters (raise "
            "max_length); {marked_up} look as if they hold a tag, as in 5-HT<sub>2</sub> (write them without).")
    E421 = ("The component '{name}' cannot use the mode 'relabel', because it has no annotator. Set its mode to "
            "repair, or generate sentences outside a pipeline.")
    E422 = ("--annotator is for the mode 'relabel', but the mode is '{mode}'. Set --synthesize.mode relabel, or leave "
            "it out.")
    E423 = ("The variant 'chain_of_thought' needs room for reasoning before the sentence. Set decoding to free, or "
            "use another variant.")
    E424 = "The adapter {path} was trained to {codec}, not to generate sentences. Give the adapter of a generator."
    E425 = ("The model of '{name}' cannot generate sentences. Use spacy-bioner.CausalLM.v1, spacy-bioner.Server.v1 or "
            "spacy-bioner.Replay.v1.")
    E426 = "A seed Doc has no spans under '{key}'. Make it with `seed_doc`, or set seeds_key."
    E427 = "No sentence was generated: {why}."
    E428 = "Unknown operation '{name}'. Known: {known}."
    E429 = ("The step `{verb}`, which makes {output}, failed: {why}. See {log}. Fix the cause and run the same "
            "command again: finished steps are kept.")
    E430 = ("No mention counts for dictionaries of {size} names in {place}. Add them there, give another size, or set "
            "--mentions-per-name, the rule for corpora without counts.")
    E431 = "{path} holds no synonym. Write a word, a tab and its synonym on each line."
    E432 = ("The annotator of {path} is no language model, so it cannot write sentences. Ask for 0 sentences, or give "
            "another config.")


class SynthesisWarnings:
    W401 = "The generator was trained with another {key} ({trained}) than this run uses ({asked})."
