"""Pages that hold everything in one file, and the plots on them. No TensorFlow is needed."""
