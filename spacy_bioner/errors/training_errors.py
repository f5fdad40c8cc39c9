"""Messages of span components and training: codes E5xx, and W5xx for warnings."""


class TrainingErrors:
    E501 = "The model is not initialized. Train it first, or load a trained pipeline."
    E502 = "Unknown way with overlaps '{found}'. Known: {known}."
    E503 = "Label '{label}' cannot be added to a trained model; it knows {known}. Train a new one with all labels."
    E504 = "Component '{name}' has no labels: no span under '{spans_key}' in the training data, and none configured."
    E505 = "No threshold fits label '{label}': known are {known}, and '*' for all others."
    E506 = "Source '{source}' ({path}) holds no record. Check the path, the split and the limits."
    E507 = ("Source '{source}' ({path}) holds no mention of a score of at least {min_score}, so it would teach that "
            "there is none. Lower min_score or the selector's threshold, leave the source out, or set allow_empty.")
    E508 = ("Source '{source}' ({path}): record '{id}' shares a sentence with {held_out}, which is held out. "
            "Give another text, or set on_leak to drop.")
    E509 = "Stage {stage} takes from source '{source}', which is not configured. Known: {known}."
    E510 = "Setting '{key}' of source '{source}': {why}."
    E511 = "Unknown strategy '{name}'. Known: {known}."
    E512 = "Strategy '{name}' needs {source} records, and none are given."
    E513 = "{updates} updates are too few for the {stages} stages of strategy '{name}'."
    E514 = ("{path} was made by other settings or data. Give another output folder, or --overwrite to begin anew.")
    E515 = "The training config {path} cannot be used: {why}."
    E516 = ("Component '{name}' finds no span group '{key}' (present: {present}). Put an annotator before it, or set "
            "candidates_key.")
    E517 = "A candidate has label '{label}', which the selector has not learnt; it knows {known}."
    E518 = ("The selector has {positive} right and {negative} wrong candidates to learn from, and needs both. "
            "Give gold mentions, and negatives above 0.")
    E519 = "Unknown head '{head}'. Known: {known}."
    E520 = ("The component was trained on another model than '{name}' is now: its hidden size, layers, vocabulary and "
            "first weights are {found}, wanted are {wanted}. Give the model that it was trained on.")
    E521 = "Record '{id}' has different texts in the sources {sources}. Merge annotations of the same texts."
    E522 = "{path} has no span_selector in its pipeline. Give a pipeline that `train selector` made."
    E523 = "Records of id '{id}' have different texts in {path} and in {other}. Give the same texts."
    E524 = "Records of id '{id}' have different texts in the gold and in the predicted file. Give the same texts."
    E525 = "--epochs counts passes over gold, but no gold is given. Give GOLD, or --updates."
    E526 = ("The selector {path} has not learnt the label '{label}' of the pipeline; it knows {known}. Train it with "
            "--labels, the schema of the pipeline.")
    E527 = ("The component '{component}' of {path} reads its base model '{name}' by name whenever it is loaded: a "
            "wheel with it would need that model. Give one that stores its encoder, as those of selector_en.cfg and "
            "spancat_en.cfg do.")
    E528 = ("The selector {path} is for texts in '{found}', the pipeline for texts in '{wanted}'. Give a selector for "
            "'{wanted}'.")
    E529 = "{path} has no system '{name}'. Known: {known}. Give --system."
    E530 = "{path} is there and is no pipeline. Give a new folder."
    E531 = "The pipeline {path} has a span_selector already. Leave out --selector."
    E532 = "Cannot read '{value}' as a source: write NAME=FILE, as in --source llm=annotated.jsonl."
    E533 = "The name '{name}' of a source is taken. Give each source its own name, other than gold and dictionary."
    E534 = "Nothing to merge. Give at least one --source NAME=FILE, or --gold."
    E535 = ("{path} has candidates of label '{label}', which is neither in gold nor in dev nor in the schema; known "
            "are {known}. Give --labels, the schema with all labels.")
    E536 = ("The pipeline {path} does not say how it did on dev, so it cannot be compared. Give pipelines that "
            "`spacy-bioner train spancat` made.")
    E537 = ("{first} and {second} were scored on different dev files. Train both with the same --dev, or leave out "
            "--or.")
    E538 = "Cannot read '{value}' as another pipeline: write NAME=FOLDER, as in --or gold=training/gold/model-best."
    E539 = "--doubtful is what was dropped from synthetic records. Give these too, with --synthetic, or leave it out."
    E540 = "GPU {gpu} cannot be used: {why}. Install spacy-bioner[gpu] on a machine with CUDA, or leave out --gpu-id."
    E541 = "{path} is no training config of this verb: it lacks [{key}]. Compare configs/embedded/{example}.cfg."
    E542 = "Setting '{key}' is the verb's own. Give {option} in its place."
    E543 = ("No record of {path} has the id of a record in {other}, so none of them can be used. Give records of the "
            "same texts, with their ids.")
    E544 = "Setting '{key}' of stage {stage}: {why}."
    E545 = "--recall-loss bounds the choice of thresholds, but --tune none chooses none. Leave one of the two out."
    E546 = "Cannot use the lowest {found} layers of '{name}', which has {most}. Set layers to 1-{most}, or 0 for all."
    E547 = ("The encoder '{name}' reads {most} pieces at once, {own} of them its own marks, but max_pieces is {found} "
            "with an overlap of {overlap}. Set max_pieces to {overlap} + {token} at least and to {usable} at most.")
    E548 = "The setting '{name}' is {found}. Give a number that is {wanted}."
    E549 = "The pipeline {path} cannot be read: {why}. Give one that is whole, or train it anew."
    E550 = ("--epochs counts words, but the batches of {path} are {found}. Give --updates, or batches of so many words "
            "([training.batcher] with spacy.batch_by_words.v1 and a number as size).")
    E551 = "{path} holds {found}, which this training has not made. Give another output folder."
    E552 = "Source '{source}' has two records of the id '{id}'. Records are paired by id: give each its own."
    E553 = ("The stored weights do not fit the model '{name}': {why}. Read them with the versions of peft and "
            "transformers that they were stored by, or train anew.")
    E554 = ("Settings of the source '{source}' are given, but the strategy '{strategy}' trains on {known}. Leave them "
            "out, or give another strategy.")
    E555 = ("The reader has stages, but training.max_epochs is {found}: then `spacy train` reads the first stage once "
            "and repeats it. Set max_epochs = -1, and max_steps for the length.")


class TrainingWarnings:
    W501 = ("{path} has {right} right and {wrong} wrong candidates, too few to fit a threshold to (wanted {least} of "
            "each): candidates made from the dev part stand beside them.")
