"""The pages of reports (home, campaign reports, the log) and their addresses for programs."""
