"""What happens to a frame: sessions, tracking, smoothing, and the pool of vision workers."""
