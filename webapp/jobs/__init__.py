"""Jobs: images and videos that people send as files, analyzed beside the live frames at low priority."""
