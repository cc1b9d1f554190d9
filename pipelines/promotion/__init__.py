"""What a promotion asks of a version before it may stand in a stage."""
