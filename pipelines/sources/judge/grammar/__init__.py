"""What the simulated judgments are made of: topics, metrics, wording, scores, times."""
