"""Pages and addresses for programs of sealed mail."""
