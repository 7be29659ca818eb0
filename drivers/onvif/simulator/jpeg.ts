/** A picture of 8 by 8 grey pixels as a baseline JPEG (ITU-T T.81), with a comment that makes each one different. */

const ONES = new Array<number>(64).fill(1);
const segment = (marker: number, body: readonly number[]): number[] => {
  const length = body.length + 2;
  return [0xff, marker, length >> 8, length & 0xff, ...body];
};
/** one code of one bit, for the symbol 0 */
const table = (id: number): number[] => [id, 1, ...new Array<number>(15).fill(0), 0];

export function smallJpeg(comment: string, padding = 0): Uint8Array {
  const head = [
    [0xff, 0xd8],
    segment(0xe0, [0x4a, 0x46, 0x49, 0x46, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0]),
    segment(0xfe, [...Buffer.from(comment.slice(0, 200))]),
  ].flat();
  const filler = Uint8Array.from(segment(0xfe, new Array<number>(60_000).fill(0x20)));
  const image = [
    segment(0xdb, [0, ...ONES]),
    segment(0xc0, [8, 0, 8, 0, 8, 1, 1, 0x11, 0]),
    segment(0xc4, table(0x00)),
    segment(0xc4, table(0x10)),
    segment(0xda, [1, 1, 0, 0, 63, 0]),
    // DC difference 0, end of block, ones to the byte's end
    [0x3f, 0xff, 0xd9],
  ].flat();
  const fillers = new Array<Uint8Array>(Math.ceil(padding / filler.length)).fill(filler);
  return Buffer.concat([Uint8Array.from(head), ...fillers, Uint8Array.from(image)]);
}
