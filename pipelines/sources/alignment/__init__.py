"""Where pairs of captions and images come from."""
