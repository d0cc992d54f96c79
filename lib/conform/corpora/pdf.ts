// A document like a PDF: compressed streams, which do not compress again, between objects of text.
import { randomFrom } from './random.ts';

const streamBytes = 11_000;

/** Exactly so many bytes. */
export function pdfBytes(length: number): Buffer {
  const random = randomFrom(5);
  const parts: Buffer[] = [Buffer.from('%PDF-1.4\n')];
  let size = 9;
  for (let id = 1; size < length; id++) {
    const stream = Buffer.alloc(streamBytes);
    for (let at = 0; at < streamBytes; at++) stream[at] = Math.floor(random() * 256);
    const part = Buffer.concat([
      Buffer.from(`${2 * id} 0 obj\n<< /Length ${streamBytes} /Filter /FlateDecode >>\nstream\n`),
      stream,
      Buffer.from(
        `\nendstream\nendobj\n${2 * id + 1} 0 obj\n<< /Type /Page /Parent 1 0 R /Contents ${2 * id} 0 R ` +
          '/MediaBox [0 0 612 792] /Resources << /Font << /F1 4 0 R /F2 6 0 R >> /ProcSet [/PDF /Text] >> >>\nendobj\n',
      ),
    ]);
    parts.push(part);
    size += part.length;
  }
  return Buffer.concat(parts).subarray(0, length);
}
