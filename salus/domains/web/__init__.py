"""Pages of sending domains, and the policy file that others fetch."""
