"""The story that a run's report tells: its text, its looks, its numbers and its pictures. Writes no file."""
