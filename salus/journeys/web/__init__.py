"""The pages of a journey from draft to stopped, and its addresses for programs."""
