"""The timeline's addresses: for programs that tell what happened."""
