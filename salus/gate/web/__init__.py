"""The gate for programs over HTTP."""
