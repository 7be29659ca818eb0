/**
 * zstd with its checksum, level 3: for groups in the journal and for members that travel packed. The library takes its output buffer before it
 * knows the size, 16 KB by default; a packed group has one or two, and such leavings would fill tens of megabytes before they are collected.
 */
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';

const PACK = {
  chunkSize: 2048,
  params: { [constants.ZSTD_c_checksumFlag]: 1, [constants.ZSTD_c_compressionLevel]: 3 },
};
const UNPACK_CHUNK = 8192;

export const pack = (bytes: Uint8Array): Uint8Array => zstdCompressSync(bytes, PACK);

const SKIPPABLE = 0x184d2a50;
const SKIPPABLE_HEAD = 8;

/** The same content in exactly so many bytes, where it fits: the rest is a frame that readers skip. */
export function padded(packed: Uint8Array, length: number): Uint8Array {
  const more = length - packed.length;
  if (more < SKIPPABLE_HEAD) return packed;
  const out = Buffer.alloc(length);
  out.set(packed);
  out.writeUInt32LE(SKIPPABLE, packed.length);
  out.writeUInt32LE(more - SKIPPABLE_HEAD, packed.length + 4);
  return out;
}

/** Throws on a damaged frame (its checksum tells), and on more than `most` bytes. */
export const unpack = (bytes: Uint8Array, most: number): Uint8Array =>
  zstdDecompressSync(bytes, { chunkSize: UNPACK_CHUNK, maxOutputLength: most });
