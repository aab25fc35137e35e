"""The pages of retention and of legal holds."""
