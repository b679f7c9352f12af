"""How an instrument is played, learned from performances with their notes beside them."""
