"""The checks of the posture by subject; `check` says what one is. Pure."""
