"""Many rows at once from an offline store into an online store: Feast's own stores, or one that takes Arrow."""
