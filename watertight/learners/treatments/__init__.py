"""What is done to the rows that a model is fitted on, inside each fit: rows made of them, and weights."""
