"""The point-in-time join: of each label, the newest row of its key that was there at its instant."""
