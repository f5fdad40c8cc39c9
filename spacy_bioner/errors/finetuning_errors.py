"""Messages of data selection and fine-tuning: codes E3xx, and W3xx for warnings."""


class FinetuningErrors:
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
    E308 = "{path} {why}, and an adapter would take its place. Give a new folder, or that of an adapter."
    E309 = "The loss of record '{name}' is not a finite number. Compute in float32, or leave the record out."
    E310 = "Diversity cannot choose for the strategy '{strategy}'. Set diversity to false, or strategy to: {known}."
    E311 = ("The adapter was taught one label at a time, so it can neither be asked for several at once ({labels}) nor "
            "be shown examples of them. Ask for one label, or leave out the examples.")
    E312 = ("This package has no adapter for the model '{model}', only for {wanted}. Set start_from to the folder of "
            "one, or to null.")
    E313 = "Setting 'compile' needs {what}, and there is none here. Install it, or set compile to false."


class FinetuningWarnings:
    W301 = "The checkpoint {path} is damaged and passed over: {why}."
    W302 = ("{folder} holds checkpoints of a training with other settings or data. They are not taken up, and kept: "
            "remove them if they are not wanted.")
    W303 = ("{count} of {total} records of dev cannot be decoded, so their mentions count as not found. The first: "
            "{why}.")
    W304 = ("The adapter to begin with was taught to answer as {taught}, not as {asked}: little of it will help. Teach "
            "the same format.")
