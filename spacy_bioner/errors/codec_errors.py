"""Messages of codecs, grounding and prompts: codes E1xx, and W1xx for warnings."""


class CodecErrors:
    E101 = "Unknown codec '{name}'. Available: {available}."
    E102 = "No prompt template '{name}'. Give a template of this package ({known}) or a file."
    E103 = "No labels given. Give at least one, as a mapping from label to definition."
    E104 = ("Prompt template '{name}' cannot be rendered: {why}. "
            "It needs the blocks system and user, and {{{{ text }}}}.")
    E105 = "Example '{id}' has the label '{label}', which the schema does not know. Known: {known}."
    E106 = "Example '{id}' {why} (codec '{codec}'). Leave it out, drop mentions, or use another codec."
    E107 = ("The codec '{codec}' can write none of the {count} candidate examples; the first is '{id}'. Give other "
            "examples or another codec.")
    E108 = "Codec '{name}' has no option {options}. See the options in docs/reference/codecs.md."
    E109 = "Codec option {option} cannot be '{value}'. Known: {known}."
    E110 = ("Codec '{codec}' cannot write the crossing mentions {first} and {second}. "
            "Use the HTML or JSON codec, or drop one of them first (see `unwritable`).")
    E111 = ("Codec '{codec}' cannot write the mention {mention}: a bracket of the text touches its edge. Use the HTML "
            "or JSON codec, or drop it first (see `unwritable`).")
    E112 = "A mention has the label '{label}', which the schema does not know. Known: {known}."
    E113 = ("Codec '{codec}' cannot write the mention {mention}: it crosses another of its label, or touches a tag "
            "of the text. Use the HTML or JSON codec, or drop it first (see `unwritable`).")
    E114 = "not a JSON object ({why}). Write one record per line."
    E115 = ("record without the key '{key}'; a reply is {{\"id\", \"format\", \"labels\", \"text\", \"output\"}}, "
            "for seed_tags with \"seeds\", objects of \"text\" and \"label\", instead of \"text\"")
    E116 = ("Label {label!r} cannot be used with the codec '{codec}': what it writes is not read back (unwritable), or "
            "the label is empty or given twice. Rename it in the schema, or take another codec.")
