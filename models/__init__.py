"""The expression CNN: the files that the server loads, and `train`, which makes them."""
