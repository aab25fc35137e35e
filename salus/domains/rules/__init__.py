"""What to publish for a sending domain, and how what is found is judged: pure functions over texts."""
