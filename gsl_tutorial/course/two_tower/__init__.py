"""Two-tower retrieval with hard negatives from a language model's clusters: the series' second story.

Source: the abstract of "Real-Time Hard Negative Sampling via LLM-based Clustering for Large-Scale Two-Tower
Retrieval" (arXiv 2607.00448). Its body was not at hand: everything here is our reconstruction.
Read `sampling` and `losses` first, then `training`; `arms` is the registry of what is compared.
"""
