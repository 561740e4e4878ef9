"""Training an encoder and its codebooks in turns: configurations, losses, methods, rounds, runs."""
