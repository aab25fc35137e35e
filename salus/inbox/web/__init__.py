"""The pages of the inbox, and its addresses for programs."""
