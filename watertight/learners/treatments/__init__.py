"""What is done to the rows that a model is fitted on, inside each fit: rows left out, rows made of them, and weights."""
