"""Where rows come from: queries over raw files, and simulators."""
