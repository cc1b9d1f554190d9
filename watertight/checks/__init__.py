"""Custom expectations, one idea a file, and the suite that runs them with Great Expectations' own."""
