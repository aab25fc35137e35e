"""Salus: a healthcare organization talks to its patients, and the law is enforced by the program."""

__version__ = "0.1.0"
