"""Sweeps: hundreds of settings and seeds as one computation."""
