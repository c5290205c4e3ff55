"""Data: what is trained on and where it comes from."""
