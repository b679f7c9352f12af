// What is wrong with a file or a number, in words for the person at the page.
export class PlayerError extends Error {}
