"""The way from the bytes of one picture to the faces in it; runs in worker processes only."""
