"""A trained pipeline behind HTTP: texts in, records out, texts of several requests annotated together."""
