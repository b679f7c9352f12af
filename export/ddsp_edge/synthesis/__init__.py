"""Signal processors in numpy and in the graph of a model file, rooms, stems."""
