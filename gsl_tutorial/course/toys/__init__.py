"""Worlds small enough to draw: a plane with codewords, k-means step by step, neighbours, one search."""
