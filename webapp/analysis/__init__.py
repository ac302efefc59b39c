"""The analysis of frames: sessions, tracking, smoothing, and the pool of vision workers."""
