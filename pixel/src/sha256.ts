// SHA-256 (FIPS 180-4). The browser's own answers later, and not on every page: an event at pagehide cannot wait.

let constants: { start: number[]; rounds: number[] } | undefined;

/** Made when they are needed: most pages have nothing to hash. */
function make(): { start: number[]; rounds: number[] } {
  const primes: number[] = [];
  for (let candidate = 2; primes.length < 64; candidate += 1) {
    if (primes.every((prime) => candidate % prime)) primes.push(candidate);
  }
  const fraction = (root: number): number => ((root % 1) * 0x1_0000_0000) | 0;
  return {
    start: primes.slice(0, 8).map((prime) => fraction(Math.sqrt(prime))),
    rounds: primes.map((prime) => fraction(Math.cbrt(prime))),
  };
}

const rotate = (word: number, bits: number): number => (word >>> bits) | (word << (32 - bits));

/** The hash of a text in UTF-8, as 64 hexadecimal digits. */
export function sha256(text: string): string {
  const bytes = new TextEncoder().encode(text);
  const padded = new DataView(new ArrayBuffer(((bytes.length + 72) >> 6) << 6));
  new Uint8Array(padded.buffer).set(bytes);
  padded.setUint8(bytes.length, 0x80);
  padded.setUint32(padded.byteLength - 4, bytes.length * 8);
  constants ??= make();
  const { start, rounds } = constants;
  const state = new Int32Array(start);
  for (let offset = 0; offset < padded.byteLength; offset += 64) mix(state, padded, offset, rounds);
  // Old libraries have an Array.from of their own, which takes no function.
  return [...state].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}

function mix(state: Int32Array, block: DataView, offset: number, rounds: number[]): void {
  const words = new Int32Array(64);
  const at = (index: number): number => words[index] as number;
  for (let i = 0; i < 64; i += 1) {
    if (i < 16) {
      words[i] = block.getInt32(offset + i * 4);
      continue;
    }
    const [early, late] = [at(i - 15), at(i - 2)];
    const first = rotate(early, 7) ^ rotate(early, 18) ^ (early >>> 3);
    const second = rotate(late, 17) ^ rotate(late, 19) ^ (late >>> 10);
    words[i] = at(i - 16) + first + at(i - 7) + second;
  }
  let [a, b, c, d, e, f, g, h] = state as unknown as [number, number, number, number, number, number, number, number];
  for (let i = 0; i < 64; i += 1) {
    const choice = (e & f) ^ (~e & g);
    const first = h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + choice + (rounds[i] as number) + at(i);
    const majority = (a & b) ^ (a & c) ^ (b & c);
    const second = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + majority;
    [a, b, c, d, e, f, g, h] = [(first + second) | 0, a, b, c, (d + first) | 0, e, f, g];
  }
  [a, b, c, d, e, f, g, h].forEach((word, index) => {
    state[index] = (state[index] as number) + word;
  });
}
