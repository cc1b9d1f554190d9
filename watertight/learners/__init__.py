"""Model families, one a file, each with fit, predict, save and load; and the out-of-fold run over them."""
