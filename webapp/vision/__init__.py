"""From the bytes of one image to the faces in it; runs in worker processes only."""
