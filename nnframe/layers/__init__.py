"""Layers; see `base` for the contract."""
