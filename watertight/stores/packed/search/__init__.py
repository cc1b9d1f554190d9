"""Exact similarity search over the embeddings of one view: blocks in memory, a shortlist with a bound, exact distances."""
