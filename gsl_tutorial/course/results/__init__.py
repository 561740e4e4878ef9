"""Measuring a run or anybody's codes, and what stands beside a number: audit, published figures, cards."""
