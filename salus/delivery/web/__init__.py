"""Delivery's pages: receipts for staff, and the first-party addresses that count opens and clicks."""
