"""Where staff hand a sign-in code to a patient: a page and an address for programs."""
