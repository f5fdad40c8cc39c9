"""Number types: which is fastest here, and 8-bit weights."""
