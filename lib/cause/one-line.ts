// Text from a peer goes to people's terminals.

/** One line without control characters. */
export function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').trim();
}

/** The beginning of what a peer sent, in quotes. */
export function quoted(bytes: Buffer, most = 40): string {
  const text = JSON.stringify(oneLine(bytes.subarray(0, most).toString('latin1')));
  return bytes.length > most ? `${text}…` : text;
}
