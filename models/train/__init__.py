"""Training of the expression CNN: from images with labels to the files that the server loads.

`data` reads faces, `faces` cuts them as the server does, `augment` varies them, `network` is the CNN, `fit`
trains it, `evaluate` measures it and `export` writes `models/`. Settings stand in `settings`.
"""
