"""Foreign protocols: how programs that know nothing of Salus hand it what they have."""
