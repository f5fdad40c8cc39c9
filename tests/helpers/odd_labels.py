"""Labels that a format, a config or a terminal may take for something else."""

ODD_LABELS = [
    "UMLS:T047", "#Tag", "1. Disease", "a[b]", "[b]", "病：症", "- x", "* x", "1) x", "L" * 61, "L" * 200, "type",
    "context", "text", "label", "name", "entity", "start", "end", " lead", "trail ", "none", "None", "a<b>",
    "a/b", "<b", "b>",
    "/b", 'q"uote', "q'x", "a\\b", "a:b:c", ":a", "a:", "a  b", "a\tb", "${x}", "${paths.train}", "$x", "$${x}", "a%b",
    "%(x)s", "a=b", "a;b", ",", "{x}", "{{x}}", "think", "analysis", "answer", "null", "true", "1", "[]", "\u202ex",
    "\x1b[31m", "é", "e\u0301", "**b**", "`x`", "_", "-", "类型", "a|b", "---", "```", "disease", "DISEASE",
    "Ｄisease", "Disease:gout", "gout", "sentence", "Final answer", "Result", "end_sentence", "@misc",
]
BROKEN_LABELS = ["x\ny", "x\r\ny", "x\u2028y"]
