"""What decides whether a model may hold a stage: the candidate as it was committed, its proofs, its rows beside the champion's."""
