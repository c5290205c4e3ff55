"""Configs: from YAML text to objects, every mistake with its place."""
