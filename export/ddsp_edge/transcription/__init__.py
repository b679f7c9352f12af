"""From sound to notes: what is heard of it, the notes in that, who plays them, and files of them."""
