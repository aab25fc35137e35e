"""The page of recovery: translate the request, make one call of `api`, render."""
