"""Tools that check the house."""
