"""Pages of templates: list, editor with preview, classification and review."""
