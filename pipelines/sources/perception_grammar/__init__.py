"""The grammar behind the simulated reflections: emotions, vocabularies, sentences, authors, edge cases, labels."""
