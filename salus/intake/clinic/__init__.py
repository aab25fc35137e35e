"""A synthetic clinic: invented people with everything that the product must cope with, from a seed."""
