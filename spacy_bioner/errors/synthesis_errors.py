"""Messages of synthesis: codes E4xx, and W4xx for warnings."""


class SynthesisErrors:
    E401 = "No mention in the gold sentences, so there are no seeds. Give annotated sentences, or a list of names."
    E402 = "{path} holds no seed. Write one a line, with the columns text and label."
    E403 = "{path} needs {wanted}."
    E404 = "{path}: a seed list ends in .jsonl, .csv, .tsv, .txt or .obo."
    E405 = "{path} has a seed with the label '{label}', which the schema does not know. Known: {known}."
    E406 = "{path} has no term '{root}'. Give the id of a term of this ontology as --root."
    E407 = "No seeds to make sentences from. Collect them with `spacy-bioner generate seeds` first."
    E408 = "Unknown prompt variant '{variant}'. Known: {known}."
    E409 = "No sentence that could teach the generator: give raw text, or gold sentences with mentions."
    E410 = "Unknown mode '{mode}'. Known: {known}."
    E411 = "The mode 'relabel' needs an annotator. Give an adapter with --annotator, or use 'repair'."
    E412 = ("The model wrote {count} answers in a row without a sentence in <start_sentence> ... </end_sentence>, most "
            "of them {reason}. Teach it with `spacy-bioner train generator` or use another model. Two of the answers: "
            "{examples}")
    E413 = ("The model wrote {count} answers in a row that were not done when the length limit came. Raise "
            "max_new_tokens. Two of the answers: {examples}")
    E414 = ("The model made no sentence of {asked} asked for, most often since: {reason}. The report has the counts; "
            "take another model, or a generator of `spacy-bioner train generator`.")
    E415 = ("{path} is the plan of a run with other seeds or settings, so its sentences cannot be gone on with. Give "
            "another output, or --overwrite to begin anew.")
    E416 = "--style is given, but style_examples is 0. Say how many of its sentences: --prompt.style_examples 3."
    E417 = "style_examples is {count}, but there is no text to take them from. Give raw records with --style."
    E418 = ("Record '{id}' is of split '{found}', which is tested on: a model must not be shown it. Give other raw "
            "text{unless}.")
    E419 = "{option} is for {wanted}, and {path} is none. Leave it out."
    E420 = ("{path}: no seed is left: {count} names are longer than {max_length} characters (raise max_length), "
            "{marked_up} hold what looks like a tag, as in 5-HT<sub>2</sub> (write them without).")
    E421 = ("The component '{name}' cannot have the mode 'relabel', for it has no annotator. Set its "
            "key mode to repair, or use `spacy-bioner generate sentences` with --annotator.")
    E422 = "Setting '{key}' of the component '{name}': {why}."
    E423 = ("--annotator is for the mode 'relabel', but the mode is '{mode}'. Set --synthesize.mode relabel, or leave "
            "it out.")
    E424 = ("The variant 'chain_of_thought' needs room for thoughts before the sentence. Set decoding to free, or "
            "take another variant.")
    E425 = ("The adapter {path} was taught to {codec}, not to write sentences. Give one of "
            "`spacy-bioner train generator`.")
    E426 = ("The model of '{name}' cannot write sentences. Take spacy-bioner.CausalLM.v1, spacy-bioner.Server.v1 or "
            "spacy-bioner.Replay.v1.")
    E427 = "A seed Doc has no spans under '{key}'. Make it with `seed_doc`, or set seeds_key."
    E428 = "No sentence was made: {why}."
    E429 = "Unknown operation '{name}'. Known: {known}."
    E430 = ("The part `{verb}`, which makes {output}, failed: {why}. More in {log}. Mend the cause and run the same "
            "command again: finished parts are kept.")
    E431 = ("No mention counts for dictionaries of {size} names in {place}. Add them there, give another size, or set "
            "--mentions-per-name, the rule for corpora without counts.")
    E432 = "{path} holds no synonym. Write a word, a tab and its synonym a line."


class SynthesisWarnings:
    W401 = "The generator was taught with another {key} ({taught}) than it is asked with ({asked})."
