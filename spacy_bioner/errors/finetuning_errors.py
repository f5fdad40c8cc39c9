"""Messages of data selection and fine-tuning: codes E3xx, and W3xx for warnings."""


class FinetuningErrors:
    E301 = "No training record. All were left out; raise max_length, or give other records."
    E302 = "Record '{name}' has an empty prompt, or a response without a token to learn. Leave it out."
    E303 = ("The loss of step {update} is not a finite number. Lower learning_rate, or compute in float32, which "
            "starts over. Last good checkpoint for these settings: {kept}.")
    E304 = ("Writing to disk failed: {why}. The last good checkpoint is kept ({kept}). Free disk space and run the "
            "same command again.")
    E305 = "Label '{label}' has no definition, and the prompt needs one. Add it to the schema."
    E306 = ("Strategy '{strategy}' selected no record with a mention among {total} ({reasons}). Raise keep_ratio or "
            "max_ifd, or give other records.")
    E307 = "Cannot read '{value}' as a corpus. Write GOLD=SCHEMA."
    E308 = "{path} {why}, and an adapter would replace it. Give a new folder, or that of an adapter."
    E309 = "The loss of record '{name}' is not a finite number. Compute in float32, or leave the record out."
    E310 = ("Diversity cannot be used with the strategy '{strategy}'. Set diversity to false, or strategy to one of: "
            "{known}.")
    E311 = ("The adapter was trained on one label at a time. It cannot take several labels at once ({labels}) or "
            "examples of them. Use one label, or leave out the examples.")
    E312 = ("This package has no adapter for the model '{model}', only for {wanted}. Set start_from to an adapter "
            "folder, or to null.")
    E313 = "Setting 'compile' needs {what}, which is missing. Install it, or set compile to false."


class FinetuningWarnings:
    W301 = "Skipped the damaged checkpoint {path}: {why}."
    W302 = ("{folder} holds checkpoints of a training with other settings or data. They are kept but not used. Remove "
            "them if you do not need them.")
    W303 = "{count} of {total} dev records cannot be decoded, so their mentions count as not found. The first: {why}."
    W304 = ("The initial adapter was trained to respond as {trained}, not as {asked}, so it may help less than one "
            "of the same format.")
