"""Speed and memory, measured as ratios within one run and printed as JSON; never a test."""
