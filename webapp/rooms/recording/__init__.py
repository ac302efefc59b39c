"""What is recorded of a room: when, and which samples a frame makes."""
