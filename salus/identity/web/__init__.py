"""Pages of identity: sign-in, the account, staff, API keys."""
