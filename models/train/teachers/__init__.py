"""Teachers: an ensemble of different networks, trained in PyTorch, from which the served network learns.

`settings` and `recipe` say which teachers there are, `network` is their CNN, `batches` makes their input,
`schedule` says what changes over a cycle, `fit` trains them, `snapshots` keeps weights, `ensemble` measures
several together, and `make_bank` writes down what they answer. All of it needs requirements-train.txt.
"""
