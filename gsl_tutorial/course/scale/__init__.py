"""Past one machine: an index in shards, searched by a cluster, and what all of it costs.

The engines are others': faiss searches a shard, Dask distributes the work, torch's DDP trains. What is ours
is the part between them: shards that are whole or absent, lists that are merged exactly, errors that say
which shard or which machine, and a model of the cost that is held against measurements.

Nothing is imported here: a worker that searches needs faiss and NumPy, and should not pay for torch.
"""
