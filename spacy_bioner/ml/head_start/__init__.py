"""A head start: weights of an encoder and of label heads that training begins with."""
