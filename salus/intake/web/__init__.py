"""The pages of imports: a file in, its columns, a check, the run, what was rejected."""
