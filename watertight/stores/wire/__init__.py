"""Arrow columns in the bytes that Feast's online stores hold, a column at a time."""
