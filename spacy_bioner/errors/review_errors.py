"""Messages of corrections by people: codes E9xx."""


class ReviewErrors:
    E901 = ("Nothing in {source} is in doubt: its mentions have no scores, or all of them are certain. Give a trained "
            "pipeline or a second annotator, or rank by diversity or at random.")
    E902 = "Disagreement needs two annotators, and there is {found}. Give another one, or rank by something else."
    E903 = "No sentence of {source} is left to correct: all {count} are corrected already."
    E904 = ("A learning curve of {count} sizes is too short for a forecast. Wanted: at least {wanted} different "
            "numbers of sentences.")
    E905 = ("The pipeline {source} gives its mentions no scores, so it does not say what is in doubt. Give one with "
            "a span categorizer.")
    E906 = ("No correction of {source} can be used: {count} left out, {skipped} skipped or rejected, {foreign} about "
            "other queues, {waiting} not answered yet. Nothing was changed.")
    E907 = "The training set has {count} sentences, too few for a learning curve. Wanted: at least {wanted}."
    E908 = ("The pipeline {path} does not record its gold sentences and its dev F1. Give pipelines that this package "
            "trained on gold.")
    E909 = "{first} and {second} were scored on different dev sets, so they are no points of one learning curve."
    E910 = "{path} cannot be used as a file of decisions: {why}. Name another file, or move this one away."
    E911 = ("{path} has decisions about another text of '{id}'. The queue has changed: give the one that was "
            "corrected, or a new file of decisions.")
    E912 = "the label '{label}' is none of those that can be given: {known}"
    E913 = "The {count} sentences cannot be divided into {folds} folds with mentions in each. Take fewer folds."
    E914 = "The prediction for '{id}' {why}. Give predictions for all of its sentences."
    E915 = ("{path} is written anew by the next run, and the corrections would be lost. Give {part}.jsonl of the "
            "folder of the corpus '{corpus}', such as assets/corpora/{corpus}/{part}.jsonl.")
    E916 = ("{path} is a queue with {count} decisions of {decisions} that are not in --train. Import them first and "
            "give --train, name another file, or give --overwrite.")
    E917 = "{path} has been in use by another process for {seconds:.0f} seconds. End that one, or try again later."
