"""The pages of a campaign from draft to done, and its addresses for programs."""
