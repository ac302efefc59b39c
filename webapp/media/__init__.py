"""Video files: decoding their frames, drawing on them, and encoding them again."""
