"""One HTML page per run, that needs nothing beside itself: what is red first, then the figures and what they rest on."""
