"""Figures for the brand and its partners; what it shows is counted by the slices below."""
