"""Pages of audiences: the list of segments and the editor."""
