"""Where the sound lies in a file, whatever its header says: each format in a file of its own."""
