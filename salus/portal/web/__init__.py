"""The patients' pages: small, in two languages, without JavaScript."""
