"""Records of what happened, and the DataFrames made of them."""
