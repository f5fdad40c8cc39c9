"""Messages of files, corpora and annotations: codes E0xx, and W0xx for warnings."""


class FileErrors:
    E001 = "There is no {wanted} at {path}. Give the path of an existing one."
    E002 = "{path}, line {line}: not a JSON object ({why}). Write one record per line."
    E003 = "{path}, line {line}: {why}."
    E004 = ("span {start}-{end} ({label}) lies outside its text of {length} characters; offsets count code points, "
            "and the end is exclusive")
    E005 = "record without the key '{key}'; a record is {{\"id\", \"text\", \"spans\", \"meta\"}}"
    E006 = "key '{key}' holds {found}, wanted {wanted}"
    E007 = "span {start}-{end} ({label}) has white space at its edges: '{surface}'"
    E008 = "{path} holds no record. Check the path, the split and the limits."
    E009 = ("Record '{id}' belongs to split '{found}', but this step needs split '{wanted}'. Give a file of that "
            "split; if the record is meant for this one, mend the split in its meta.")
    E010 = "{problem}: {fate}. Turn off strict mode to continue; a table then lists what was left out."
    E011 = "{path} is not {wanted}: {why}."
    E012 = "Unknown format '{name}'. Available: {available}."
    E013 = ("The format of {path} is not clear from its name. Rename it after its format ({endings}), or, where there "
            "is a choice of formats, choose one of: {available}. Convert other forms, such as CSV, to .jsonl first.")
    E014 = "{path}: record '{id}' has the label '{label}', which {schema} does not know. Known: {known}."
    E015 = ("Record '{id}' also occurs in {other}. Training text must not contain evaluation text: exclude the texts "
            "of {other}.")
    E016 = "Choose either --sentences or --documents, not both."
    E017 = ("Cannot read '{value}' as a change of label. Write --rename OLD=NEW with one '=', OLD= to drop its "
            "mentions, or *=NEW for all labels.")
    E018 = ("{part} record '{id}' also occurs in {split}, as '{other}'. Remove it from one of them, or set leaks to "
            "drop.")
    E019 = ("{path} has numbers as tags but no names for them. Wanted: {info} with features.ner_tags.feature.names, "
            "as the datasets library writes it.")
    E020 = "{place}: no list {keys} in this example."
    E021 = "{place}: tag {tag} has no name; the dataset names {count} tags, counted from 0."
    E022 = ("{place}: columns '{names}' do not fit {width} columns. Name each column: exactly one FORM and at least "
            "one NER.")
    E023 = "{path} holds files other than texts with their annotations, such as {found}. Give a new folder."
    E024 = "{place}: an offset or length is a whole number; found {found}."
    E025 = "{option} is for the format {formats}. Leave it out, or say the format with --from."
    E026 = "{path} is a second file for the split '{name}'. Name each file after its split: train, dev, test, raw."
    E027 = "The corpus breaks rules: {count} findings, first '{rule}' at {place}: {detail}. Full list: {path}."
    E028 = ("{place}: the text holds {code:#06x} at {offset}, which is half of a surrogate pair and not a character. "
            "Write the character itself.")
    E029 = "No fold '{found}'. Write number/count, such as 1/3 for the first of three folds; at least two folds."
    E030 = "{place}: {why}."
    E031 = "{path}: no token has a tag, such as O or B-LABEL. Name the columns, or give another input format."
    E032 = "{option} has no effect with --check-corpus. Leave it out, or convert the files first and check them then."
    E033 = "{path} is not named after a split. Name each file after its split: train, dev, test, raw."
    E034 = "{path} is given twice. Name each file once."
    E035 = ("No raw text to annotate: {source} holds no sentence that is long enough and not in train, dev or test. "
            "Add raw.jsonl to {corpus}, name another folder (--raw FOLDER, --vars.raw FOLDER), or use a part of train "
            "as gold (--gold-limit, --vars.gold_limit). --raw none continues without raw text.")
    E036 = "The label '{old}' would become both '{first}' and '{second}'. Give --rename once per label."
    E037 = "The environment variable {name} is '{found}'. Set it to a whole number above 0, or remove it."
    E038 = "{path} holds more than {most} bytes. If you trust it, raise the environment variable {name}."
    E039 = ("{path} grows to {size} bytes from {compressed}, more than {ratio} times its size, as archives do that are "
            "made to fill a memory. If you trust it, raise the environment variable {name}.")
    E040 = "{path}, line {line}: longer than {most} bytes. If you trust it, raise the environment variable {name}."
    E041 = "{path} is a link out of {folder}, which is not followed. Copy the file into the folder."
    E042 = ("{path} has texts, but no file of annotations (.ann, .a1): it would read as text without a single mention. "
            "Add them, or ask for raw text: origin raw, or labels dropped.")
    E043 = "No corpus file in {path}. Give files of these formats: {known}; or .txt files of raw text."
    E044 = ("There are {count} annotated documents, too few to divide into parts (wanted at least {wanted}). Give "
            "more, or name files train, dev and test.")
    E045 = ("No annotated span in {paths}, so there is nothing to train on. Give annotated files too; with raw text "
            "alone, give a label schema.")
    E046 = ("{place}: no span group 'sc' and no entities, but spans under {keys}. Say which one holds the mentions "
            "(spans_key).")
    E047 = ("{path}: no Doc has spans under '{key}' (present: {keys}) or entities, so it would read as text without a "
            "single mention. Say which spans are meant (spans_key), or ask for raw text: origin raw, or "
            "labels dropped.")
    E048 = ("{place}: a record without the key 'spans' (it has {keys}) would read as text without a mention. Write the "
            "mentions as spans, an empty list for none, or ask for raw text: origin raw, or labels dropped.")
    E049 = ("Two records have the id '{id}', of {first} and of {second}. Records are told apart by their ids: give "
            "each its own.")
    E050 = ("The corpus is called '{name}', and a wheel bioner_{name} cannot be built. Rename its folder: ASCII "
            "letters, digits and underscores, without white space, hyphens and dots, and no underscore at its end.")
    E051 = "'{version}' is no version of a package. Give one such as 0.1.0."
    E052 = ("{place}: the first column, here '{found}', holds numbers or one value in every sentence, so it is not "
            "taken for the tokens. Name each column: exactly one FORM and at least one NER.")
