"""What decides whether a model may hold a stage: the candidate as committed, its proofs, its answers beside the champion's."""
