"""Columns in the forms in which Feast's stores keep and pass them: entity keys, protobuf values, streams of batches."""
