"""The pages of contacts: find somebody, see them masked, reveal fields for a purpose."""
