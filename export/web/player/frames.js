// The number of frames nearest to a time, at least one, as ddsp_edge.frames has it.
export const framesFor = ({ sampleRate, hop }, seconds) => Math.max(1, Math.round((seconds * sampleRate) / hop));
