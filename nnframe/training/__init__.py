"""Training: the loop, and what happens around it."""
