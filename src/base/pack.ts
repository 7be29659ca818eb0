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

/** Throws on a damaged frame (its checksum tells), and on more than `most` bytes. */
export const unpack = (bytes: Uint8Array, most: number): Uint8Array =>
  zstdDecompressSync(bytes, { chunkSize: UNPACK_CHUNK, maxOutputLength: most });
