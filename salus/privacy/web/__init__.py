"""Pages of the privacy office."""
