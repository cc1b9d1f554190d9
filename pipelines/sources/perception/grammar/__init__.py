"""What the simulated reflections are made of: emotions, words, sentences, authors, edge cases, labels."""
