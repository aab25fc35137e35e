"""The pages of the vendor register, and its addresses for programs."""
