"""Messages of span components and training: codes E5xx, and W5xx for warnings."""


class TrainingErrors:
    E501 = "The model is not initialized. Train it first, or load a trained pipeline."
    E502 = "Unknown overlap rule '{found}'. Known: {known}."
    E503 = "Label '{label}' cannot be added to a trained model; it knows {known}. Train a new one with all labels."
    E504 = "Component '{name}' has no labels: no span under '{spans_key}' in the training data, and none configured."
    E505 = "No threshold fits label '{label}': known are {known}, and '*' for all others."
    E506 = "Source '{source}' ({path}) holds no record. Check the path, the split and the limits."
    E507 = ("Source '{source}' ({path}) holds no mention with a score of at least {min_score}, so it would train the "
            "model to find none. Lower min_score or the selector's threshold, leave the source out, or set "
            "allow_empty.")
    E508 = ("Source '{source}' ({path}): record '{id}' shares a sentence with {held_out}, which is held out. Give "
            "other text, or set on_leak to drop.")
    E509 = "Stage {stage} uses source '{source}', which is not configured. Known: {known}."
    E510 = "Setting '{key}' of source '{source}': {why}."
    E511 = "Unknown strategy '{name}'. Known: {known}."
    E512 = "Strategy '{name}' needs {source} records, and none are given."
    E513 = "{updates} steps are too few for the {stages} stages of strategy '{name}'. Give more steps."
    E514 = "{path} was made with other settings or data. Give another output folder, or set overwrite to start over."
    E515 = "The training config {path} cannot be used: {why}."
    E516 = ("Component '{name}' finds no span group '{key}' (present: {present}). Put an annotator before it, or set "
            "{setting}.")
    E517 = "A candidate has the label '{label}', which the selector was not trained on. Known: {known}."
    E518 = ("The selector has {positive} correct and {negative} wrong candidates to train on, and needs both. Give "
            "gold mentions, and set negatives above 0.")
    E519 = "Unknown head '{head}'. Known: {known}."
    E520 = ("The component was trained on another model than '{name}': hidden size, layers, vocabulary and first "
            "weights are {found}, wanted are {wanted}. Give the model that it was trained on.")
    E521 = "Record '{id}' has different texts in the sources {sources}. Merge annotations of the same texts."
    E522 = "{path} has no span_selector in its pipeline. Give the pipeline of a trained selector."
    E523 = "Records of id '{id}' have different texts in {path} and in {other}. Give the same texts."
    E524 = "Records of id '{id}' have different texts in the gold and in the predicted file. Give the same texts."
    E525 = "--epochs counts epochs over gold, but no gold is given. Give GOLD, or --updates."
    E526 = ("The selector {path} was not trained on the label '{label}' of the pipeline. Known: {known}. Train it "
            "with the schema of the pipeline.")
    E527 = ("The component '{component}' of {path} loads its base model '{name}' by name, so a wheel with it would "
            "need that model. Give a component that stores its encoder, as those of selector.cfg and "
            "spancat.cfg do.")
    E528 = ("The selector {path} is for texts in '{found}', the pipeline for texts in '{wanted}'. Give a selector for "
            "'{wanted}'.")
    E529 = "{path} has no system '{name}'. Known: {known}. Name one of them."
    E530 = "{path} exists and is not a pipeline. Give a new folder."
    E531 = "The pipeline {path} already has a span_selector. Leave out the selector."
    E532 = "Cannot read '{value}' as a source. Write NAME=FILE, as in llm=annotated.jsonl."
    E533 = "The source name '{name}' is taken. Give each source its own name, other than gold and dictionary."
    E534 = "Nothing to merge. Give at least one NAME=FILE before the output, or --gold."
    E535 = ("{path} has candidates of label '{label}', which is neither in gold nor in dev nor in the schema. Known: "
            "{known}. Give a schema with all labels.")
    E536 = ("The pipeline {path} does not record its dev scores, so it cannot be compared. Give pipelines that this "
            "package trained.")
    E537 = ("{first} and {second} were scored on different dev sets, so they cannot be compared. Train both with the "
            "same dev set, or leave one out.")
    E538 = "Cannot read '{value}' as another pipeline. Write NAME=FOLDER, as in --or gold=training/gold/model-best."
    E539 = ("--doubtful holds what was dropped from synthetic records. Give these too, with --synthetic, or leave it "
            "out.")
    E540 = "GPU {gpu} cannot be used: {why}. Install spacy-bioner[gpu] on a machine with CUDA, or leave out --gpu-id."
    E541 = "{path} is no training config of this kind: it lacks [{key}]. Compare configs/{example}.cfg."
    E542 = "Setting '{key}' is fixed by this command. Use {option} instead."
    E543 = ("No record of {path} has the id of a record in {other}, so none of them can be used. Give records of the "
            "same texts, with their ids.")
    E544 = "Setting '{key}' of stage {stage}: {why}."
    E545 = "--recall-loss bounds the choice of thresholds, but --tune none chooses none. Leave one of the two out."
    E546 = "Cannot use the lowest {found} layers of '{name}', which has {most}. Set layers to 1-{most}, or 0 for all."
    E547 = ("The encoder '{name}' reads {most} word pieces at once, {own} of them special tokens, but max_pieces is "
            "{found} with an overlap of {overlap}. Set max_pieces to at least {overlap} + {token} and at most "
            "{usable}.")
    E548 = "The setting '{name}' is {found}. Give a number that is {wanted}."
    E549 = "The pipeline {path} cannot be read: {why}. Give a complete pipeline, or train it again."
    E550 = ("Epochs are counted in words, but the batches of {path} are {found}. Give --updates, or batches by words "
            "([training.batcher] with spacy.batch_by_words.v1 and a number as size).")
    E551 = "{path} holds {found}, which this training did not make. Give another output folder."
    E552 = "Source '{source}' has two records with the id '{id}'. Records are paired by id: give each its own."
    E553 = ("The stored weights do not fit the model '{name}': {why}. Load them with the versions of peft and "
            "transformers that stored them, or train again.")
    E554 = ("Settings of the source '{source}' are given, but the strategy '{strategy}' trains on {known}. Leave them "
            "out, or give another strategy.")
    E555 = ("The reader has stages, but training.max_epochs is {found}, so training would repeat the first stage "
            "only. Set max_epochs = -1, and set the length with max_steps.")
    E556 = "{text!r} holds '${{', which spaCy configs read as a variable. Write the label or its definition otherwise."
    E557 = ("The label {label!r} cannot be a key of a spaCy config, alone or beside the others, so the pipeline could "
            "not be loaded. Give the labels as a list of pairs: labels = [[\"LABEL\", \"definition\"], ...].")
    E558 = "There are {found} numbers of epochs, but strategy '{name}' has {wanted} stages. Give one for each stage."
    E559 = "'{found}' is no list of epochs. Give numbers above 0, one for each stage of the strategy, such as 20,10."
    E560 = "--stage-epochs stands in place of --updates and --epochs. Leave these two out."
    E561 = "8-bit weights need a CPU with fast products of 8-bit numbers, and torch names none here. Set int8 = false."
    E562 = "The encoder '{name}' holds 8-bit weights, which cannot be trained. Train the pipeline it was made from."
    E563 = "int8 and lora_rank do not go together: LoRA is stored without the weights of its base. Set one of them."
    E564 = "The {what} of a package cannot be '{found}'. Wanted: {wanted}."
    E565 = "No wheel of {name} could be built: {why}. Install setuptools, and this package from a wheel or a checkout."
    E566 = "{path} is not the file that was installed, so no wheel can be made of it. Install this package again."
    E567 = ("No annotator has read a text of {path}, so it does not tell how far they are right. Annotate its texts "
            "too, or leave it out: agreement then counts.")
    E568 = "A trained pipeline finds the labels it was trained on, so {labels} cannot be asked of it. Leave out labels."
    E569 = "{path} is no head start that can be used: {why}. Give the folder of a whole one."
    E570 = ("The head start {path} is for the encoder '{wanted}', not for '{found}'. Set start_from = null, or give "
            "this encoder.")
    E571 = "start_from and lora_rank do not go together: LoRA is stored without its base model. Set one of them."
    E572 = ("start_from: {path} was trained on texts of this corpus: {count} of {total} records of {file}, such as "
            "'{id}'. Scores would be too high. Set start_from = null, or give one that was trained without them.")
    E573 = "Cannot read '{value}' as a source. Write NAME=FILE, as in bc5cdr=train.jsonl."
    E574 = "The source name '{name}' comes twice. Give each source its own name."
    E575 = ("Without gold, how far annotators are right is told by their agreement, and there is only '{name}'. Give "
            "--gold, or two more annotators.")


class TrainingWarnings:
    W501 = ("{path} has {right} correct and {wrong} wrong candidates, too few to fit a threshold (wanted: {least} of "
            "each). Candidates made from the dev set are added.")
    W502 = ("Two annotators agree as well where both err as where both are right, so agreement does not tell which of "
            "them is. Their probabilities mean little without gold or a third annotator.")
