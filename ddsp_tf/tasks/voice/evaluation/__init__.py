"""How well a voice keeps words and melody, and how near it comes to whom it is to be."""
