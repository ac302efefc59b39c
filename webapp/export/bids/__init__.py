"""A room as a data set of the Brain Imaging Data Structure (BIDS), https://bids-specification.readthedocs.io."""
