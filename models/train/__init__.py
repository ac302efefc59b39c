"""Training of the expression CNN: from images with labels to the files that the server loads.

`data` reads faces, `faces` crops them as the server does, `views` and `augment` vary them, `targets` says
what to answer, `network` is the CNN, `fit` trains it, `evaluate` measures it and `export` writes `models/`.
Settings are in `settings`. `teachers` trains an ensemble, whose answers `bank` holds for `fit` to learn from;
`student` does what `fit` does in PyTorch, which is quicker, and is what `recipe` uses.
"""
