"""From notes to how they are played: pitch and loudness around each note, frame by frame."""
