"""The page of destinations: what is in force, from which addresses mail leaves, what each destination gets."""
