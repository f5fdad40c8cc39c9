"""Messages of the command line and the workflow: codes E7xx, and W7xx for warnings."""


class CliErrors:
    E701 = "{first} and {second} would be written to the same file. Give {option} another name."
    E702 = "Unknown setting '{key}' in [{section}] of {path}. Known: {known}."
    E703 = "Setting '{key}' in [{section}] of {path}: {why}."
    E704 = "No section [{section}] in {path}. Add it, or give another config."
    E705 = "Cannot read '{value}' as a setting. Write overrides as --section.key value."
    E706 = "Package '{package}' is not installed. Install it with: pip install 'spacy-bioner[{extra}]'."
    E707 = "Config {path} cannot be read: {why}."
    E708 = "The steps {first} and {second} both make {output}. Give each its own output."
    E709 = "The steps {steps} depend on each other in a circle. Remove one of the dependencies."
    E710 = "Another run, or a step that one left behind, is using {path}. Wait for it or end it, then resume."
    E711 = "Experiment {path}: {why}."
    E712 = "No row has '{part}' in its name. Rows: {known}."
    E713 = "No value for {{{name}}}, or one that refers to itself. Known: {known}."
    E714 = "foreach names the unknown list '{name}'. Known: {known}."
    E715 = "Step {name} makes {output}, which is not in {folder}. Start its output with {{out}}."
    E716 = "The {kind} '{name}' names unknown rows: {unknown}. Known: {known}."
    E717 = "The rows '{first}' and '{second}' have different test sets, so they cannot be compared."
    E718 = "Row '{name}' has no dev score, and the choice is made by it. Give dev: FILE#key."
    E719 = "{path} has no number at '{key}'."
    E720 = "Two {kind} are called '{name}'. Put every list of its foreach that tells them apart into the name."
    E721 = "The steps that make {first} and {second} are both called {name}. Rename one, or an item of its lists."
    E722 = "Step {name} runs '{verb}', which is not a command. Known: {known}."
    E723 = ("The step `{verb}` succeeded but did not make {output}. See {log}. Name the same file or folder in its "
            "command line and as its output.")
    E724 = "The mention counts of {place} for {size} names are {found}. Wanted a number for each label: {{LABEL: 19}}."
    E725 = ("No sentence of {path} fits a dictionary of {size} names of each label and {wanted} mentions. Raise the "
            "mentions or the size, or take the other --rule.")
    E726 = "{output} is also an input ({path}), and the result would replace it. Give the result another name."
    E727 = "Cannot write a file to {path}: {found}. Give the name of a file in a folder."
    E728 = "{path} would hold JSON Lines under another name. Give it a name that ends in .jsonl or .jsonl.gz."
    E729 = ("All {count} records of '{source}' ({path}) were left out, because they share a sentence with the "
            "held-out set ({held_out}). Give other records, or another held-out set.")
    E730 = "{option} has no effect here: {why}. Leave it out."
    E731 = ("No such file: {path}. The configs lie in the checkout of spacy-bioner, not in the package: run from its "
            "folder, or give --config.")
    E732 = "Cannot read '{value}' as a system. Write NAME=PATH, or PATH alone."
    E733 = ("{output} and the input {path} lie inside each other, so a corpus could be replaced. Give another output "
            "folder.")
    E734 = ("{path} would hold the report of --check-corpus, but has the name of a corpus file. Name the report last: "
            "convert train.jsonl dev.jsonl test.jsonl report.json --check-corpus.")
    E735 = "All {count} documents of {path} failed, {most} of them with: {why}. Nothing was written."
    E736 = ("Label schema {path}: {why}. Write labels: {{LABEL: definition}}, and optionally corpus, lang, license, "
            "domain and dataset.")
    E737 = "{option} is '{found}'. Wanted: {wanted}."
    E738 = "{path} is for texts in '{found}', but '{wanted}' is requested. Give --lang (or --vars.lang) {found}."
    E739 = "{path} is not empty, and init writes over nothing. Give a new folder."
    E740 = "The cache {cache} is also {path}, which this command reads or writes. Give the cache a file of its own."
