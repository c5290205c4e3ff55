"""Data that are drawn and not read: classes of points, regression, sequences."""
