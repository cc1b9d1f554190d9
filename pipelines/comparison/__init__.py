"""Two sides beside one another: cells, versions or revisions; what they are worth on the same rows, and what differs."""
